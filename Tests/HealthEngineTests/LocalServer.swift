internal import Platform
internal import TestSupport
internal import Testing

/// A server in Python on a free loopback port; stopped, by its process id, when the value goes.
struct LocalServer {
    let process: SpawnedProcess
    let port: Int

    /// - Parameter script: Python that binds `server` (anything with `getsockname` or `server_address`), calls `announce(port)` and serves.
    init(_ script: String, arguments: [String] = [], in directory: FilePath? = nil) async throws {
        let announce = "import sys\ndef announce(port):\n  print(port, flush=True)\n"
        process = try SpawnedProcess(["/usr/bin/python3", "-c", announce + script] + arguments, directory: directory)
        for _ in 0..<1000 where process.poll() == nil {
            let written = String(decoding: process.standardOutput, as: UTF8.self)
            if written.hasSuffix("\n"), let port = Int(written.dropLast()) {
                self.port = port
                return
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw ServerFailed(text: String(decoding: process.standardError, as: UTF8.self))
    }

    struct ServerFailed: Error { let text: String }

    func stop() async { await process.killGroup() }

    /// /ok, /large (2 MiB, then `needle`), /split (the needle in two parts), /missing, /error, /loop, /hop/N, /slow.
    static let http = """
        import http.server,time
        class H(http.server.BaseHTTPRequestHandler):
          protocol_version='HTTP/1.1'
          def log_message(self,*a): pass
          def answer(self,code,body=b'',**h):
            self.send_response(code)
            for k,v in h.items(): self.send_header(k,v)
            self.send_header('Content-Length',str(len(body))); self.end_headers(); self.wfile.write(body)
          def do_GET(self):
            p=self.path
            if p=='/ok': self.answer(200,'trạng thái: sẵn sàng'.encode())
            elif p=='/large': self.answer(200,b'x'*(2<<20)+b'needle')
            elif p=='/split':
              self.send_response(200); self.send_header('Content-Length','10'); self.end_headers()
              self.wfile.write(b'12nee'); self.wfile.flush(); time.sleep(0.2); self.wfile.write(b'dle90')
            elif p=='/error': self.answer(500,b'wrong')
            elif p=='/loop': self.answer(302,Location='/loop2')
            elif p=='/loop2': self.answer(302,Location='/loop')
            elif p.startswith('/hop/'):
              n=int(p[5:]); self.answer(302,Location='/hop/%d'%(n-1) if n>1 else '/ok')
            elif p=='/slow': time.sleep(300)
            else: self.answer(404)
        server=http.server.ThreadingHTTPServer(('127.0.0.1',0),H)
        """

    static func plain() async throws -> LocalServer {
        try await LocalServer(http + "\nannounce(server.server_address[1]); server.serve_forever()")
    }

    /// HTTPS with the certificate and key in `directory` (server.pem, server.key).
    static func secure(in directory: FilePath) async throws -> LocalServer {
        try await LocalServer(
            http + """

                import ssl
                c=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); c.load_cert_chain('server.pem','server.key')
                server.socket=c.wrap_socket(server.socket,server_side=True)
                announce(server.server_address[1]); server.serve_forever()
                """, in: directory)
    }

    /// Accepts connections and never says a word.
    static func mute() async throws -> LocalServer {
        try await LocalServer(
            """
            import socket
            s=socket.socket(); s.bind(('127.0.0.1',0)); s.listen(50); announce(s.getsockname()[1])
            held=[]
            while True: held.append(s.accept())
            """)
    }

    /// A port on which nothing listens: bound, and kept from others, but never listened on.
    static func silentPort() async throws -> LocalServer {
        try await LocalServer(
            "import socket,time\ns=socket.socket(); s.bind(('127.0.0.1',0)); announce(s.getsockname()[1]); time.sleep(600)")
    }
}

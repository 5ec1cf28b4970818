import Platform
import TestSupport
import Testing

/// A REST server that does as it is told: right, or wrong in one named way for the next requests of one kind. It keeps its files in
/// a directory as restic does, so that an honest judge can look at them; it ends with this value.
///
/// The control file holds one rule per line: `METHOD TYPE COUNT FAULT`.
final class LyingServer: Sendable {
    let process: SpawnedProcess
    let port: Int
    let data: FilePath
    private let control: FilePath

    init(_ root: FilePath) async throws {
        data = root / "data"
        control = root / "rules"
        try DurableFiles.replace(control, [])
        let arguments = ["/usr/bin/python3", "-c", Self.script, try #require(data.utf8), try #require(control.utf8)]
        process = try SpawnedProcess(arguments)
        for _ in 0..<1000 where process.poll() == nil {
            let written = String(decoding: process.standardOutput, as: UTF8.self)
            if written.hasSuffix("\n"), let port = Int(written.split(separator: "\n").first ?? "") {
                self.port = port
                return
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw Failed(text: String(decoding: process.standardError, as: UTF8.self))
    }

    struct Failed: Error { let text: String }

    var address: String { "rest:http://127.0.0.1:\(port)/" }

    /// Faults for the requests from now on, in the order they come.
    func obey(_ rules: String...) throws { try DurableFiles.replace(control, Array(rules.joined(separator: "\n").utf8)) }

    /// Rules that no request used up.
    var unused: String { String(decoding: (try? DurableFiles.read(control, limit: 4096)) ?? [], as: UTF8.self) }

    func stop() async { await process.killGroup() }

    private static let script = """
        import sys,os,http.server,socket,struct,threading,time,json
        root,control=sys.argv[1],sys.argv[2]
        lock=threading.Lock()
        def rule(method,kind):
          with lock:
            lines=[l.split() for l in open(control).read().splitlines() if l.strip()]
            for l in lines:
              if l[0] in (method,'*') and l[1] in (kind,'*'):
                l[2]=str(int(l[2])-1)
                with open(control+'.new','w') as f: f.write('\\n'.join(' '.join(x) for x in lines if int(x[2])>0))
                os.replace(control+'.new',control)
                return l[3]
          return ''
        class H(http.server.BaseHTTPRequestHandler):
          protocol_version='HTTP/1.1'
          def log_message(self,*a): pass
          def place(self):
            p=self.path.split('?')[0].strip('/').split('/')
            if p==['config']: return 'config',os.path.join(root,'config')
            if len(p)==2 and p[1]: return p[0],os.path.join(root,p[0],*([p[1][:2]] if p[0]=='data' else []),p[1])
            return p[0] or 'root',None
          def plain(self,code,body=b'',**h):
            self.send_response(code)
            for k,v in h.items(): self.send_header(k.replace('_','-'),v)
            self.send_header('Content-Length',str(len(body))); self.end_headers()
            if self.command!='HEAD': self.wfile.write(body)
          def cut(self):
            self.wfile.flush()
            self.connection.setsockopt(socket.SOL_SOCKET,socket.SO_LINGER,struct.pack('ii',1,0))
            self.close_connection=True; self.connection.close()
          def common(self):
            kind,path=self.place(); fault=rule(self.command,kind)
            if fault.isdigit():
              n=int(self.headers.get('Content-Length') or 0); self.rfile.read(n)
              self.plain(int(fault),b'told to fail'); return kind,path,None
            if fault=='mute': time.sleep(30); self.cut(); return kind,path,None
            if fault=='drop': self.cut(); return kind,path,None
            if fault=='redirect': self.plain(302,Location='http://127.0.0.1:9/'); return kind,path,None
            return kind,path,fault
          def do_GET(self):
            kind,path,fault=self.common()
            if fault is None: return
            if path is None:
              out=[]
              for d,_,names in os.walk(os.path.join(root,kind)):
                out+=[{'name':n,'size':os.path.getsize(os.path.join(d,n))} for n in names]
              v='v2'
              if fault=='v1': v='v1'; out=[x['name'] for x in out]
              body=json.dumps(out).encode()
              if fault=='garbage': body=body[:-1]+b',{"name":'
              self.plain(200,body,Content_Type='application/vnd.x.restic.rest.'+v); return
            try: whole=open(path,'rb').read()
            except FileNotFoundError: self.plain(404); return
            first,last,code,extra=0,len(whole)-1,200,{}
            r=self.headers.get('Range')
            if r and fault!='norange':
              a,b=r[6:].split('-'); first=int(a); last=min(int(b or last),last); code=206
              if first>=len(whole): self.plain(416); return
              extra={'Content_Range':'bytes %d-%d/%d'%(first,last,len(whole))}
            body=whole[first:last+1]
            if fault=='wrong': body=body[:-1]+bytes([body[-1]^1])
            if fault=='short': body=body[:len(body)//2]
            if fault=='long': body=body+b'x'*1000
            if fault=='elsewhere': extra={'Content_Range':'bytes 1-2/3'}
            if fault=='cut':
              self.send_response(code)
              for k,v in extra.items(): self.send_header(k.replace('_','-'),v)
              self.send_header('Content-Length',str(len(body))); self.end_headers()
              self.wfile.write(body[:len(body)//2]); self.wfile.flush(); time.sleep(0.05); self.connection.shutdown(1); self.close_connection=True; return
            if fault=='drip':
              self.send_response(code); self.send_header('Content-Length',str(len(body))); self.end_headers()
              try:
                for i in range(len(body)): self.wfile.write(body[i:i+1]); self.wfile.flush(); time.sleep(0.05)
              except OSError: self.close_connection=True
              return
            self.plain(code,body,**extra)
          def do_HEAD(self):
            kind,path,fault=self.common()
            if fault is None: return
            try: n=os.path.getsize(path)
            except (FileNotFoundError,TypeError): self.plain(404); return
            if fault=='smaller': n-=1
            self.send_response(200); self.send_header('Content-Length',str(n)); self.end_headers()
          def do_POST(self):
            kind,path=self.place(); n=int(self.headers.get('Content-Length') or 0)
            fault=rule(self.command,kind)
            if fault=='cutearly': self.rfile.read(n//2); self.cut(); return
            body=self.rfile.read(n)
            if fault.isdigit(): self.plain(int(fault),b'told to fail'); return
            if fault=='mute': time.sleep(30); self.cut(); return
            if path is None:
              os.makedirs(root,exist_ok=True); self.plain(200); return
            if os.path.exists(path): self.plain(403); return
            if fault!='forget':
              os.makedirs(os.path.dirname(path),exist_ok=True)
              if fault=='halve': body=body[:n//2]
              with open(path+'.tmp','wb') as f: f.write(body)
              os.replace(path+'.tmp',path)
            if fault=='lost': self.cut(); return
            self.plain(200)
          def do_DELETE(self):
            kind,path,fault=self.common()
            if fault is None: return
            try: os.remove(path)
            except FileNotFoundError: pass
            self.plain(200)
        class S(http.server.ThreadingHTTPServer):
          daemon_threads=True
          def handle_error(self,*a): pass
        server=S(('127.0.0.1',0),H)
        print(server.server_address[1],flush=True)
        server.serve_forever()
        """
}

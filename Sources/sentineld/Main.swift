import ArgumentParser
import Hummingbird
import AsyncHTTPClient
@main struct A: AsyncParsableCommand { func run() async throws { print("x") } }

// swift-tools-version: 6.2
import PackageDescription

/// Every target of ours is built under the same rules; see docs/decisions/0001-package.md.
let rules: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableExperimentalFeature("Lifetimes"),
    // Tests run against the release build that is shipped, and look inside the modules.
    .unsafeFlags(["-enable-testing"], .when(configuration: .release)),
]
/// What waits for people and disks anyway is compiled for size: the programs are to stay below 40 MB.
let compact: [SwiftSetting] = rules + [.unsafeFlags(["-Osize"], .when(configuration: .release))]
/// Tests need no optimiser: what they exercise is compiled as it is shipped.
let quick: [SwiftSetting] = rules + [.unsafeFlags(["-Onone"], .when(configuration: .release))]
/// The engines hash and compress; unoptimised they would make every test crawl.
let optimised: [SwiftSetting] = rules + [.unsafeFlags(["-O"], .when(configuration: .debug))]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let httpClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let httpServer: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")
let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"),
]
let nioTLS: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

/// Release programs carry the Swift runtime in them; see docs/decisions/0001-package.md for why this is no build option.
/// The two libraries are private parts of FoundationEssentials.
let selfContained: [LinkerSetting] = [
    .unsafeFlags(
        [
            "-static-stdlib", "-l_FoundationCollections", "-l_FoundationCShims",
            // Folds functions of equal code, exports no symbols: about 12 % less.
            "-use-ld=lld", "-Xlinker", "--icf=all", "-Xlinker", "--gc-sections", "-Xlinker", "--no-export-dynamic",
        ], .when(configuration: .release))
]

let package = Package(
    name: "sentinel",
    products: [
        .executable(name: "sentineld", targets: ["sentineld"]),
        .executable(name: "sentinelctl", targets: ["sentinelctl"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
    ],
    targets: [
        .systemLibrary(name: "COpenSSL", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CZstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CYAML", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CLinux"),
        .target(
            name: "Platform", dependencies: ["COpenSSL", "CSQLite", "CZstd", "CYAML", "CLinux", subprocess],
            swiftSettings: optimised),
        .target(name: "BackupEngine", dependencies: ["Platform"], swiftSettings: optimised),
        .target(
            name: "RemoteStorage", dependencies: ["BackupEngine", "Platform", httpClient, nioTLS] + nio, swiftSettings: compact),
        .target(name: "IntegrityEngine", dependencies: ["Platform"], swiftSettings: optimised),
        .target(name: "HealthEngine", dependencies: ["Platform", httpClient, nioTLS] + nio, swiftSettings: compact),
        .target(name: "Ledger", dependencies: ["Platform"], swiftSettings: optimised),
        .target(name: "ControlAPI", swiftSettings: compact),
        .target(
            name: "IncidentCore",
            dependencies: ["Platform", "BackupEngine", "RemoteStorage", "IntegrityEngine", "HealthEngine", "Ledger", "ControlAPI"],
            swiftSettings: compact),
        .executableTarget(
            name: "sentineld",
            dependencies: [
                "IncidentCore", "ControlAPI", "Ledger", "HealthEngine", "IntegrityEngine", "RemoteStorage", "BackupEngine", "Platform",
                httpServer, httpClient, argumentParser, logging,
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ] + nio,
            swiftSettings: compact, linkerSettings: selfContained),
        .executableTarget(
            name: "sentinelctl",
            dependencies: [
                "IncidentCore", "ControlAPI", "Ledger", "IntegrityEngine", "RemoteStorage", "BackupEngine", "Platform",
                httpClient, argumentParser,
            ] + nio,
            swiftSettings: compact, linkerSettings: selfContained),
        .target(name: "TestSupport", dependencies: ["Platform"], path: "Tests/TestSupport", swiftSettings: quick),
        .testTarget(name: "PlatformTests", dependencies: ["Platform", "TestSupport"], swiftSettings: quick),
        .testTarget(
            name: "BackupEngineTests", dependencies: ["BackupEngine", "Platform", "TestSupport"], swiftSettings: quick),
        .testTarget(
            name: "RemoteStorageTests", dependencies: ["RemoteStorage", "BackupEngine", "Platform", "TestSupport"], swiftSettings: quick),
        .testTarget(
            name: "IntegrityEngineTests", dependencies: ["IntegrityEngine", "Platform", "TestSupport"],
            swiftSettings: quick),
        .testTarget(
            name: "HealthEngineTests", dependencies: ["HealthEngine", "Platform", "TestSupport"], swiftSettings: quick),
        .testTarget(name: "LedgerTests", dependencies: ["Ledger", "Platform", "TestSupport"], swiftSettings: quick),
        .testTarget(
            name: "IncidentCoreTests",
            dependencies: ["IncidentCore", "ControlAPI", "Ledger", "BackupEngine", "IntegrityEngine", "HealthEngine", "Platform", "TestSupport"],
            swiftSettings: quick),
        .testTarget(name: "TidyTests", dependencies: ["TestSupport", "Platform", "ControlAPI"], swiftSettings: quick),
        .testTarget(
            name: "EndToEnd", dependencies: ["TestSupport", "Platform", "ControlAPI", "Ledger"], swiftSettings: quick),
    ]
)

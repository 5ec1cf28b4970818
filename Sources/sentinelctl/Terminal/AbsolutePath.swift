internal import Glibc
internal import Platform

/// `path` from the working directory, normalised by its text.
func absolutePath(_ path: FilePath) -> FilePath {
    if path.isAbsolute { return path.normalised }
    guard let current = unsafe getcwd(nil, 0) else { return path }
    defer { unsafe free(current) }
    return FilePath(bytes: unsafe String(cString: current).utf8).appending(path.bytes).normalised
}

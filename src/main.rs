//! The program: hands the command line to the library and returns its exit code.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    // The allocator asks for huge pages, of which a small program fills a part: some 20 MiB for nothing. Where the
    // kernel will not leave them away, they are only that.
    #[cfg(target_os = "linux")]
    rustix::thread::disable_transparent_huge_pages(true).unwrap_or_default();
    chatflow_bridge::cli::run()
}

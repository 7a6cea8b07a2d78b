//! Compiles the BPF programs with clang. `CLANG` names another compiler than `clang`.
#![allow(
    clippy::disallowed_methods,
    reason = "cargo tells a build script everything through the environment"
)]

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const PROGRAMS: &[&str] = &["l4lb"];

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-env-changed=CLANG");
    let output = env::var_os("OUT_DIR")
        .map(PathBuf::from)
        .unwrap_or_default();
    let architecture = env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    for program in PROGRAMS {
        if let Err(problem) = compile(program, &output, &architecture) {
            println!("cargo::error={problem} (Debian: apt install clang libbpf-dev)");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// `<asm/types.h>` is where the multi-architecture layout of Debian keeps it, if anywhere.
fn compile(program: &str, output: &Path, architecture: &str) -> Result<(), String> {
    let clang = env::var_os("CLANG").unwrap_or_else(|| "clang".into());
    let source = format!("src/{program}.bpf.c");
    let status = Command::new(&clang)
        .args(["-O2", "-g", "-mcpu=v3", "-target", "bpf"])
        .args(["-Wall", "-Wextra", "-Werror"])
        .arg(format!("-I/usr/include/{architecture}-linux-gnu"))
        .args(["-fdebug-compilation-dir=.", "-c", &source, "-o"])
        .arg(output.join(format!("{program}.bpf.o")))
        .status()
        .map_err(|error| format!("{} did not start: {error}", clang.display()))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{} could not compile {source}", clang.display()))
    }
}

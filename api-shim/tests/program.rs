//! The `api-shim` program: it starts, answers, and stops when it is asked to.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

#[test]
fn it_serves_until_sigterm() {
    let dir = tempfile::tempdir().unwrap();
    let data = format!("storage.data_dir={}", dir.path().display());
    let mut program = Command::new(env!("CARGO_BIN_EXE_api-shim"))
        .args(["--set", "server.listen=127.0.0.1:0", "--set", &data])
        .current_dir(dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    let mut stdout = BufReader::new(program.stdout.take().unwrap());
    stdout.read_line(&mut first).unwrap();
    let url = first.trim().rsplit(' ').next().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let health = runtime.block_on(async {
        let response = reqwest::get(format!("{url}/readyz")).await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    });
    assert_eq!(health, (200, r#"{"status":"ready"}"#.to_owned()));
    let id = program.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-s", "TERM", &id])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(program.wait().unwrap().code(), Some(0));
}

#[test]
fn it_says_what_is_wrong_with_its_settings() {
    let output = Command::new(env!("CARGO_BIN_EXE_api-shim"))
        .args(["--set", "server.listen=nowhere"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("server.listen"), "{text}");
}

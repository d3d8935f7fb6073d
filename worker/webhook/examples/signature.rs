//! Signs or verifies the bytes of its standard input, for checks against other libraries.
//!
//! `signature sign ID SECONDS SECRET...` prints the value of `webhook-signature`;
//! `signature verify ID SECONDS SIGNATURE SECRET...` ends with status 1 unless it fits.

use std::io::Read as _;
use std::process::ExitCode;

use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use webhook::{Secret, sign, verify};

type Failed = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<String, Failed> {
    let (what, id, seconds, rest) = match arguments {
        [what, id, seconds, rest @ ..] => (what.as_str(), id, seconds, rest),
        _ => return Err("use: signature sign|verify ID SECONDS [SIGNATURE] SECRET...".into()),
    };
    let at = Timestamp::from_second(seconds.parse()?)?;
    let secrets = |texts: &[String]| -> Result<Vec<Secret>, Failed> {
        texts.iter().map(|text| Ok(Secret::parse(text)?)).collect()
    };
    let mut body = Vec::new();
    std::io::stdin().read_to_end(&mut body)?;
    match (what, rest) {
        ("sign", texts) => Ok(sign(id, at, &body, &secrets(texts)?)),
        ("verify", [signature, texts @ ..]) => {
            let mut headers = HeaderMap::new();
            headers.insert("webhook-id", HeaderValue::from_str(id)?);
            headers.insert("webhook-timestamp", HeaderValue::from_str(seconds)?);
            headers.insert("webhook-signature", HeaderValue::from_str(signature)?);
            verify(&headers, &body, &secrets(texts)?, at)?;
            Ok("verified".to_owned())
        }
        _ => Err("the first argument is sign or verify".into()),
    }
}

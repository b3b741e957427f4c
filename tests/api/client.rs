//! A client of HTTP/1.x over a plain connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// Longest that anything here may take.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The code of a refusal.
    pub fn code(&self) -> String {
        assert!(self.header("content-type") == Some("application/problem+json"), "{self:?}");
        self.json()["code"].as_str().expect("a code").to_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

fn connect(at: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends these words and reads to the end.
pub fn raw(at: SocketAddr, words: &[u8]) -> Answer {
    let mut stream = connect(at);
    // A server that has heard enough may be gone before the last word.
    let _ = stream.write_all(words);
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

pub fn get(at: SocketAddr, path: &str, token: &str) -> Answer {
    raw(at, format!("GET {path} HTTP/1.0\r\nHost: h\r\nAuthorization: Bearer {token}\r\n\r\n").as_bytes())
}

pub fn post(at: SocketAddr, path: &str, token: &str, body: &str) -> Answer {
    let head = format!(
        "POST {path} HTTP/1.0\r\nHost: h\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    raw(at, (head + body).as_bytes())
}

pub fn delete(at: SocketAddr, path: &str, token: &str) -> Answer {
    raw(at, format!("DELETE {path} HTTP/1.0\r\nHost: h\r\nAuthorization: Bearer {token}\r\n\r\n").as_bytes())
}

/// A stream of events that is read as it comes; over HTTP/1.0 its body is the stream itself.
pub struct Events {
    reader: BufReader<TcpStream>,
    pub status: u16,
    /// The place that a client would come back with.
    pub last: Option<u64>,
}

impl Events {
    /// `resume`: as `Last-Event-ID`.
    pub fn open(at: SocketAddr, path: &str, token: &str, resume: Option<u64>) -> Events {
        Events::over(connect(at), path, token, resume)
    }

    pub fn over(mut stream: TcpStream, path: &str, token: &str, resume: Option<u64>) -> Events {
        let resume = resume.map(|place| format!("Last-Event-ID: {place}\r\n")).unwrap_or_default();
        write!(
            stream,
            "GET {path} HTTP/1.0\r\nHost: h\r\nAccept: text/event-stream\r\nAuthorization: Bearer {token}\r\n\
             {resume}\r\n"
        )
        .unwrap();
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        while line != "\r\n" {
            line.clear();
            assert!(reader.read_line(&mut line).unwrap() > 0, "a whole head");
        }
        Events { reader, status, last: resume.is_empty().then_some(0) }
    }

    /// The next block of lines; `None`: the stream has ended.
    pub fn block(&mut self) -> Option<Vec<String>> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            match self.reader.read_line(&mut line) {
                Ok(0) => return None,
                Ok(_) if line == "\n" => return Some(lines),
                Ok(_) => lines.push(line.trim_end().to_owned()),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// The next fact; comments are passed over.
    pub fn fact(&mut self) -> Option<Value> {
        loop {
            let lines = self.block()?;
            let field = |name: &str| lines.iter().find_map(|line| line.strip_prefix(name));
            if let Some(id) = field("id: ") {
                self.last = Some(id.parse().unwrap());
            }
            if let Some(data) = field("data: ") {
                let fact: Value = serde_json::from_str(data).unwrap();
                assert_eq!(fact["house"].as_u64(), self.last, "the id is the fact's place");
                return Some(fact);
            }
        }
    }

    /// The places of the next so many facts.
    pub fn places(&mut self, count: usize) -> Vec<u64> {
        (0..count).map(|_| self.fact().expect("a fact")["house"].as_u64().unwrap()).collect()
    }
}

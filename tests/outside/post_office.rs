//! A mail server for the suite: it takes what it gets, or fails in the way that a test asks for.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// How the server behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It takes every mail.
    Takes,
    /// It takes the connection and says nothing.
    Hangs,
    /// It ends each connection at once.
    Closes,
    /// It is too busy for each mail, and says so.
    IsBusy,
    /// It refuses each address for good.
    Refuses,
    /// It takes a mail and ends before it said so.
    Forgets,
}

/// A mail as it came.
#[derive(Clone, Debug)]
pub(crate) struct Came {
    pub(crate) to: String,
    /// Head and body, decoded so far that links can be read.
    pub(crate) text: String,
}

impl Came {
    /// A line of its head.
    pub(crate) fn header(&self, name: &str) -> String {
        let begin = format!("{name}: ");
        let found = self.text.lines().find_map(|line| line.strip_prefix(&begin));
        found.unwrap_or_default().to_owned()
    }

    /// The address of its link, without scheme, host and port.
    pub(crate) fn link(&self) -> String {
        let mut words = self.text.split_whitespace();
        let link = words.find(|word| word.starts_with("http://"));
        let link = link.expect("a link");
        let path = link.splitn(4, '/').nth(3).expect("a path");
        format!("/{path}")
    }
}

#[derive(Default)]
struct Box {
    mood: Option<Mood>,
    came: Vec<Came>,
}

/// The server. Its threads go with the process.
#[derive(Clone)]
pub(crate) struct PostOffice {
    pub(crate) address: String,
    held: Arc<Mutex<Box>>,
}

impl PostOffice {
    pub(crate) fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port of loopback");
        let address = listener.local_addr().expect("its address").to_string();
        let office = Self {
            address,
            held: Arc::default(),
        };
        let counter = office.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let clerk = counter.clone();
                // The other side may go in the middle of a word, as it likes.
                thread::spawn(move || clerk.serve(stream).ok());
            }
        });
        office
    }

    /// What the configuration needs to send mail here.
    pub(crate) fn variables(&self) -> [(String, String); 2] {
        [
            (
                "LATCHKEY_MAIL__SMTP_URL".to_owned(),
                format!("smtp://{}", self.address),
            ),
            (
                "LATCHKEY_MAIL__FROM".to_owned(),
                "Acme Maps <keys@acme.example>".to_owned(),
            ),
        ]
    }

    pub(crate) fn be(&self, mood: Mood) {
        self.held().mood = Some(mood);
    }

    pub(crate) fn came(&self) -> Vec<Came> {
        self.held().came.clone()
    }

    /// The first mail to an address with this in its subject, if it came.
    pub(crate) fn find(&self, to: &str, subject: &str) -> Option<Came> {
        self.came()
            .into_iter()
            .find(|mail| mail.to == to && mail.header("Subject").contains(subject))
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Box> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mood(&self) -> Mood {
        self.held().mood.unwrap_or(Mood::Takes)
    }

    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        match self.mood() {
            Mood::Closes => return Ok(()),
            Mood::Hangs => {
                // Until the other side has enough.
                let mut line = String::new();
                BufReader::new(stream).read_line(&mut line)?;
                return Ok(());
            }
            _ => {}
        }
        let mut out = stream.try_clone()?;
        let mut lines = BufReader::new(stream);
        let mut to = String::new();
        out.write_all(b"220 post office\r\n")?;
        loop {
            let mut line = String::new();
            if lines.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let word = line.split([' ', '\r', ':']).next().unwrap_or_default();
            let answer = match (word.to_ascii_uppercase().as_str(), self.mood()) {
                ("EHLO", _) => "250-post office\r\n250 8BITMIME\r\n",
                ("RCPT", Mood::IsBusy) => "451 busy\r\n",
                ("RCPT", Mood::Refuses) => "550 nobody of that name\r\n",
                ("RCPT", _) => {
                    let between = line.split(['<', '>']).nth(1);
                    between.unwrap_or_default().clone_into(&mut to);
                    "250 yes\r\n"
                }
                ("DATA", _) => {
                    out.write_all(b"354 go on\r\n")?;
                    let text = body(&mut lines)?;
                    self.held().came.push(Came {
                        to: to.clone(),
                        text: readable(&text),
                    });
                    if self.mood() == Mood::Forgets {
                        return Ok(());
                    }
                    "250 taken\r\n"
                }
                ("QUIT", _) => {
                    out.write_all(b"221 bye\r\n")?;
                    return Ok(());
                }
                _ => "250 yes\r\n",
            };
            out.write_all(answer.as_bytes())?;
        }
    }
}

/// Until the line that holds a dot alone.
fn body(lines: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == ".\r\n" {
            return Ok(text);
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}

/// Quoted-printable text as it was before (RFC 2045, 6.7).
fn readable(text: &str) -> String {
    text.replace("=\r\n", "")
        .replace("=3D", "=")
        .replace("\r\n", "\n")
}

//! Mail by SMTP: plain text and HTML, a Message-ID made of the letter's id so that a repetition is known as such, threads by
//! matter. A password goes over an encrypted connection or not at all. Each recipient is served by itself, so that one bad
//! address keeps nobody else uninformed. Of a server's answer only the code is told: its text may quote the message.

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, SystemTime};

use lettre::address::Envelope;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{Error, SmtpTransport};
use lettre::{Address, Message, Transport as _};
use sha2::{Digest as _, Sha256};

use super::tls::Trust;
use super::{Messenger, SendError};
use crate::deliver::audience::Audience;
use crate::deliver::letter::Letter;
use crate::deliver::render::Context;
use crate::deliver::render::letter::{html, sheets, subject, text};
use crate::deliver::render::officer::Languages;
use crate::domain::hex::hex;
use crate::domain::verdict::Severity;
use crate::secret::SecretRef;

/// Longest wait for the server.
const PATIENCE: Duration = Duration::from_secs(30);

/// Letters of which it is remembered who has them already. Beyond that, some get a mail twice, with the same Message-ID.
const PARTLY_SERVED: usize = 64;

/// How the connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// By STARTTLS, which the server must offer; usually port 587.
    StartTls,
    /// From the start; usually port 465.
    Tls,
    /// Not at all, and so without a password; usually port 25 of the own machine.
    None,
}

/// The mail server, and from whom to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The server's name.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub security: Security,
    /// Whom to trust. A client certificate is not used.
    pub trust: Trust,
    /// User and password.
    pub credentials: Option<(String, SecretRef)>,
    /// Sender.
    pub from: Mailbox,
    /// Recipients.
    pub to: Vec<Mailbox>,
}

/// Sends letters as mail.
pub struct Mail {
    audience: Audience,
    options: Options,
    languages: Languages,
    context: Context,
    /// Letters that some recipients have already, and which; the latest last.
    served: VecDeque<(String, BTreeSet<Address>)>,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mail").field("server", &self.options.server).finish_non_exhaustive()
    }
}

impl Mail {
    /// A channel that connects for each letter.
    pub fn new(audience: Audience, options: Options, languages: Languages, context: Context) -> Self {
        Self { audience, options, languages, context, served: Default::default() }
    }

    fn message(&self, letter: &Letter) -> Result<Message, SendError> {
        let Options { from, to, .. } = &self.options;
        let sheets = sheets(letter, self.languages, &self.context);
        let domain = from.email.domain();
        let matter = format!("<{}@{domain}>", matter(&letter.thread));
        let since = Duration::from_millis(u64::try_from(letter.at).unwrap_or_default());
        let mut builder = Message::builder()
            .from(from.clone())
            .subject(subject(letter, self.languages, &self.context))
            .date(SystemTime::UNIX_EPOCH + since)
            .message_id(Some(format!("<{}@{domain}>", letter.id)))
            .in_reply_to(matter.clone())
            .references(matter)
            .header(AutoSubmitted);
        if letter.severity() == Some(Severity::Critical) {
            builder = builder.header(Importance);
        }
        for recipient in to {
            builder = builder.to(recipient.clone());
        }
        let plain = SinglePart::builder().header(ContentType::TEXT_PLAIN).body(text::text(&sheets));
        let html = SinglePart::builder().header(ContentType::TEXT_HTML).body(html::document(&sheets));
        let parts = MultiPart::alternative().singlepart(plain).singlepart(html);
        builder.multipart(parts).map_err(|_| SendError::Permanent("mail: the message cannot be formed".to_owned()))
    }

    fn transport(&self) -> Result<SmtpTransport, SendError> {
        let Options { server, port, security, credentials, .. } = &self.options;
        let tls = match security {
            Security::StartTls => Tls::Required(self.encryption()?),
            Security::Tls => Tls::Wrapper(self.encryption()?),
            Security::None => Tls::None,
        };
        let name = ClientId::Domain(self.options.from.email.domain().to_owned());
        let builder = SmtpTransport::builder_dangerous(server).port(*port).tls(tls).timeout(Some(PATIENCE));
        let builder = builder.hello_name(name);
        let Some((user, password)) = credentials.as_ref().filter(|_| *security != Security::None) else {
            return Ok(builder.build());
        };
        let password = password.resolve().map_err(|error| SendError::Transient(error.to_string()))?;
        Ok(builder.credentials(Credentials::new(user.clone(), password.reveal().to_owned())).build())
    }

    /// Greets the server, with the password where there is one, and sends nothing.
    ///
    /// # Errors
    /// The server is not reached, not encrypted, or takes the password for wrong.
    pub fn greet(&self) -> Result<(), SendError> {
        match self.transport()?.test_connection() {
            Ok(true) => Ok(()),
            Ok(false) => Err(SendError::Transient(format!("mail {}: it does not answer", self.options.server))),
            Err(error) => Err(SendError::Transient(format!("mail {}: {}", self.options.server, told_of(&error)))),
        }
    }

    fn encryption(&self) -> Result<TlsParameters, SendError> {
        let unable = |why: String| SendError::Transient(format!("mail {}: {why}", self.options.server));
        let authorities = self.options.trust.authorities().map_err(|error| unable(error.to_string()))?;
        let builder = TlsParameters::builder(self.options.server.clone()).certificate_store(CertificateStore::None);
        let add = |builder: lettre::transport::smtp::client::TlsParametersBuilder,
                   one: &rustls::pki_types::CertificateDer<'_>| {
            // the system may hold certificates that cannot be read
            match Certificate::from_der(one.to_vec()) {
                Ok(certificate) => builder.add_root_certificate(certificate),
                Err(_) => builder,
            }
        };
        let builder = authorities.iter().fold(builder, add);
        builder.build().map_err(|_| unable("TLS cannot be set up; look at the authorities".to_owned()))
    }

    /// Who has a letter already.
    fn take_served(&mut self, id: &str) -> BTreeSet<Address> {
        if self.served.len() >= PARTLY_SERVED {
            self.served.pop_front();
        }
        let known = self.served.iter().position(|(letter, _)| letter == id);
        known.and_then(|at| self.served.remove(at)).map(|(_, served)| served).unwrap_or_default()
    }

    /// Sends to those who have not got it yet.
    fn serve(&mut self, letter: &Letter) -> Result<(), SendError> {
        let (transport, message) = (self.transport()?, self.message(letter)?.formatted());
        let mut served = self.take_served(&letter.id);
        let from = self.options.from.email.clone();
        let (mut passing, mut lasting) = (None, None);
        for (nth, recipient) in self.options.to.iter().enumerate() {
            let address = recipient.email.clone();
            if served.contains(&address) {
                continue;
            }
            let unfit = |_| SendError::Permanent("mail: sender or recipient is no address".to_owned());
            let envelope = Envelope::new(Some(from.clone()), vec![address.clone()]).map_err(unfit)?;
            match transport.send_raw(&envelope, &message) {
                Ok(_) => drop(served.insert(address)),
                Err(error) if is_lasting(&error) => lasting = Some(self.told(&error, nth)),
                Err(error) => passing = Some(self.told(&error, nth)),
            }
        }
        match (passing, lasting) {
            (Some(why), _) => {
                self.served.push_back((letter.id.clone(), served));
                Err(SendError::Transient(why))
            }
            (None, Some(why)) => Err(SendError::Permanent(why)),
            (None, None) => Ok(()),
        }
    }

    /// What went wrong with the `nth` recipient, who is not named.
    fn told(&self, error: &Error, nth: usize) -> String {
        format!("mail {}: recipient {} of {}: {}", self.options.server, nth + 1, self.options.to.len(), told_of(error))
    }
}

/// What went wrong, without the server's words.
fn told_of(error: &Error) -> String {
    match error.status() {
        Some(code) => format!("answer {code}"),
        None if error.is_timeout() => "timed out".to_owned(),
        None if error.is_tls() => format!("TLS: {}", root_cause(error)),
        None if error.is_response() || error.is_client() => "no agreement with the server on how to talk".to_owned(),
        None => root_cause(error),
    }
}

/// Whether trying again cannot help. Refused credentials and policies of the connection can be mended.
fn is_lasting(error: &Error) -> bool {
    let code = error.status().map(|code| code.to_string());
    error.is_permanent() && !matches!(code.as_deref(), Some("530" | "534" | "535" | "538"))
}

/// The innermost error, which is the network's or TLS's own and quotes nothing.
fn root_cause(error: &Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

/// 20 hex digits that stand for a matter.
fn matter(thread: &str) -> String {
    hex(Sha256::digest(thread.as_bytes()).get(..10).unwrap_or_default())
}

/// `Auto-Submitted: auto-generated` (RFC 3834), so that nobody's absence is answered to us.
#[derive(Clone, Copy)]
struct AutoSubmitted;

/// `Importance: high` (RFC 2156) for what is critical.
#[derive(Clone, Copy)]
struct Importance;

macro_rules! fixed_header {
    ($type:ident, $name:literal, $value:literal) => {
        impl Header for $type {
            fn name() -> HeaderName {
                HeaderName::new_from_ascii_str($name)
            }

            fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
                Ok(Self)
            }

            fn display(&self) -> HeaderValue {
                HeaderValue::new(Self::name(), $value.to_owned())
            }
        }
    };
}

fixed_header!(AutoSubmitted, "Auto-Submitted", "auto-generated");
fixed_header!(Importance, "Importance", "high");

impl Messenger for Mail {
    fn audience(&self) -> Audience {
        self.audience
    }

    fn post(&mut self, letter: &Letter) -> Result<(), SendError> {
        self.serve(letter)
    }

    fn preview(&self, letter: &Letter) -> String {
        let sheets = sheets(letter, self.languages, &self.context);
        let subject = subject(letter, self.languages, &self.context);
        let (server, text, html) = (&self.options.server, text::text(&sheets), html::document(&sheets));
        format!("by {server}\nSubject: {subject}\n\n{text}\n\n--- HTML ---\n{html}\n")
    }
}

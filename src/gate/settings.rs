//! What the operator says of the gate, and whom that lets in or believes.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use latchkey_rules::caller::AddressDetail;
use latchkey_rules::client_ip;
use latchkey_rules::code::Code;
use latchkey_rules::secret::{Digest, Prefix};

use crate::metrics::Registry;
use crate::web::limits::RequestLimits;

/// The operator's own words for a refusal.
#[derive(Clone, Debug)]
pub struct VerdictText {
    /// The verdict.
    pub code: Code,
    /// What clients read.
    pub message: Option<String>,
    /// Where they are led.
    pub help: Option<String>,
}

/// What the operator says of the gate.
#[derive(Clone)]
pub struct GateSettings {
    /// What secrets begin with.
    pub prefix: Prefix,
    /// The headers that keys are read from.
    pub key_headers: Vec<String>,
    /// The query parameters that keys are read from, spelled exactly.
    pub key_query: Vec<String>,
    /// The peers that are believed about the request at their door.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether a peer on a Unix socket is one of them.
    pub unix_trusted: bool,
    /// How long known keys are served after the database was last heard from.
    pub max_staleness: Duration,
    /// How many requests a minute one address may send with one browser key.
    pub per_address: Option<u32>,
    /// What one client may take.
    pub limits: RequestLimits,
    /// The digests of the tokens that gateways show; two at a time while one replaces the other.
    pub gate_tokens: Vec<Digest>,
    /// Whether one of them is demanded.
    pub require_token: bool,
    /// This node's name in its batches of counts.
    pub node: String,
    /// How much of a caller's address is kept.
    pub address_detail: AddressDetail,
    /// Where counts wait while the database is away.
    pub data_dir: PathBuf,
    /// Where the portal is, for the links in errors; without a slash at its end.
    pub public_url: String,
    /// The operator's own words for refusals.
    pub verdicts: Vec<VerdictText>,
    /// Those besides the gate whose counts stand on the page of metrics.
    pub measured: Registry,
}

impl GateSettings {
    /// The defaults of an installation on one machine.
    pub fn local(data_dir: PathBuf, public_url: &str) -> Self {
        let loopback = [
            [127, 0, 0, 1].into(),
            IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]),
        ];
        Self {
            prefix: Prefix::default(),
            key_headers: vec!["x-api-key".to_owned()],
            key_query: vec!["key".to_owned(), "api_key".to_owned()],
            trusted_proxies: loopback.map(IpNet::from).to_vec(),
            unix_trusted: true,
            max_staleness: Duration::from_mins(5),
            per_address: None,
            limits: RequestLimits::default(),
            gate_tokens: Vec::new(),
            require_token: false,
            node: "local".to_owned(),
            address_detail: AddressDetail::default(),
            data_dir,
            public_url: public_url.trim_end_matches('/').to_owned(),
            verdicts: Vec::new(),
            measured: Registry::default(),
        }
    }

    /// Header names in lower case, as requests have them here, and no slash at the address's end.
    pub(super) fn normalize(&mut self) {
        for name in &mut self.key_headers {
            name.make_ascii_lowercase();
        }
        let length = self.public_url.trim_end_matches('/').len();
        self.public_url.truncate(length);
    }

    /// What clients read of a refusal: the operator's words, or these.
    pub(super) fn message<'m>(&'m self, code: Code, ours: &'m str) -> &'m str {
        let own = self.verdict(code).and_then(|own| own.message.as_deref());
        own.unwrap_or(ours)
    }

    /// Where a refusal leads: the operator's page, or Latchkey's about this request.
    pub(super) fn help(&self, code: Option<Code>, request_id: &str) -> String {
        let own = code.and_then(|code| self.verdict(code)?.help.clone());
        let page = || format!("{}/r/{request_id}", self.public_url);
        match code {
            Some(code) => own.unwrap_or_else(|| format!("{}?verdict={}", page(), code.as_str())),
            None => page(),
        }
    }

    fn verdict(&self, code: Code) -> Option<&VerdictText> {
        self.verdicts.iter().find(|own| own.code == code)
    }

    pub(super) fn is_key_header(&self, name: &str) -> bool {
        self.key_headers.iter().any(|header| header == name)
    }

    pub(super) fn trusts(&self, peer: Option<IpAddr>) -> bool {
        peer.map_or(self.unix_trusted, |peer| {
            let peer = client_ip::fold_mapped(peer);
            self.trusted_proxies
                .iter()
                .any(|net| client_ip::contains(net, peer))
        })
    }

    pub(super) fn admits(&self, token: Option<&[u8]>) -> bool {
        if !self.require_token {
            return true;
        }
        let Some(token) = token.and_then(|token| std::str::from_utf8(token).ok()) else {
            return false;
        };
        let shown = Digest::of(token);
        // Every one is compared: which of two it was is nobody's business either.
        let same = self.gate_tokens.iter().filter(|known| known.ct_eq(&shown));
        same.count() > 0
    }
}

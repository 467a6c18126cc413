//! What the demo sends, through which mappings, and how the contacts have to end.

use anyhow::Context;

use crate::chatflow::mock::Seed;
use crate::clock::{Clock, SystemClock};
use crate::contact::ContactId;
use crate::webhook::head::Head;
use crate::webhook::verify;

/// The API key that the mock takes.
pub(super) const KEY: &str = "demo-key";
/// The secret of every sample's sender.
const SECRET: &str = "demo-secret";
/// The contact that the Typeform's hidden field names.
const ZOE: &str = "65a1b2c3d4e5f60718293a4b";

/// A webhook to send.
pub(super) struct Sample {
    /// What happened, for a person.
    pub(super) title: &'static str,
    /// The source it goes to.
    pub(super) source: &'static str,
    /// How its sender signs, or the header that holds the secret.
    seal: Seal,
    /// Headers besides the seal.
    extra: &'static [(&'static str, &'static str)],
    /// The body, byte for byte as the sender sends it.
    pub(super) body: &'static str,
    /// The contacts as they have to end.
    pub(super) contacts: &'static [Expected],
}

enum Seal {
    Preset(&'static str),
    Header(&'static str),
}

/// How a contact has to end.
pub(super) struct Expected {
    pub(super) mobile: &'static str,
    pub(super) name: &'static str,
    pub(super) optin: bool,
    pub(super) tags: &'static [&'static str],
    pub(super) attributes: &'static [(&'static str, &'static str)],
}

pub(super) const SAMPLES: &[Sample] = &[
    Sample {
        title: "Typeform: someone filled in a form and agreed to be written to",
        source: "typeform",
        seal: Seal::Preset("typeform"),
        extra: &[],
        body: include_str!("../../../mappings/fixtures/typeform-form-response.json"),
        contacts: &[Expected {
            mobile: "4915550001234",
            name: "Zoë Müller",
            optin: true,
            tags: &["newsletter", "lead"],
            attributes: &[
                ("plan", "free"),
                ("email", "zoe.mueller@example.com"),
                ("utm_source", "ig"),
                ("topics", "Tea, Coffee"),
            ],
        }],
    },
    Sample {
        title: "WooCommerce: an order of somebody whom Chatflow does not know yet",
        source: "woocommerce",
        seal: Seal::Preset("woocommerce"),
        extra: &[("X-WC-Webhook-Topic", "order.created")],
        body: include_str!("../../../mappings/fixtures/woocommerce-order-created.json"),
        contacts: &[Expected {
            mobile: "33655500133",
            name: "Chloé D'Arc",
            optin: true,
            tags: &["customer"],
            attributes: &[
                ("email", "chloe.darc@example.com"),
                ("last_order", "727"),
                ("last_order_total", "29.35 EUR"),
            ],
        }],
    },
    Sample {
        title: "Make: a list of two people in one request",
        source: "make",
        seal: Seal::Header("x-make-apikey"),
        extra: &[],
        body: include_str!("../../../mappings/fixtures/make-http-json-array.json"),
        contacts: &[
            Expected {
                mobile: "4555501122",
                name: "Ida Lund",
                optin: false,
                tags: &["imported"],
                attributes: &[("email", "ida.lund@example.com")],
            },
            Expected {
                mobile: "4555501123",
                name: "Per Holm",
                optin: false,
                tags: &["imported"],
                attributes: &[],
            },
        ],
    },
];

/// The mappings the demo runs with: the shipped ones.
pub(super) fn mapping_files() -> Vec<(String, String)> {
    [
        ("mappings/make.yaml", include_str!("../../../mappings/make.yaml")),
        ("mappings/typeform.yaml", include_str!("../../../mappings/typeform.yaml")),
        ("mappings/woocommerce.yaml", include_str!("../../../mappings/woocommerce.yaml")),
    ]
    .map(|(name, text)| (name.to_owned(), text.to_owned()))
    .into()
}

/// The variables that the mappings take their secrets from.
pub(super) fn secrets() -> Vec<(String, String)> {
    ["MAKE_KEY", "TYPEFORM_SECRET", "WOOCOMMERCE_SECRET"]
        .map(|name| (name.to_owned(), SECRET.to_owned()))
        .into()
}

/// The contacts that Chatflow knows before anything comes in.
pub(super) fn known_contacts() -> Vec<Seed> {
    let zoe = Seed::with_mobile("4915550001234")
        .named("Zoe")
        .tagged(&["newsletter"])
        .with("plan", "free");
    let per = Seed::with_mobile("4555501123").named("P. Holm");
    let id = ContactId::try_from(ZOE.to_owned());
    vec![id.map_or_else(|_| zoe.clone(), |id| zoe.clone().with_id(id)), per]
}

impl Sample {
    /// The headers, signed as the sender signs.
    pub(super) fn headers(&self) -> anyhow::Result<Vec<(String, String)>> {
        let mut headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        headers.extend(
            self.extra.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        match self.seal {
            Seal::Header(name) => headers.push((name.to_owned(), SECRET.to_owned())),
            Seal::Preset(preset) => {
                let head = Head { method: "POST".to_owned(), ..Head::default() };
                let credentials =
                    verify::sign(preset, SECRET, &head, self.body.as_bytes(), SystemClock.now())
                        .context("the sample cannot be signed")?;
                headers.extend(credentials.headers);
            }
        }
        Ok(headers)
    }

    /// A curl line with which a person posts to this source.
    pub(super) fn curl(hooks: std::net::SocketAddr) -> String {
        format!(
            "curl -H 'content-type: application/json' -H 'x-make-apikey: {SECRET}' \\\n     -d '[{{\"name\":\"Your Name\",\"phone\":\"12025550143\"}}]' http://{hooks}/hooks/make"
        )
    }
}

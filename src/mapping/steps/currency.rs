//! `money`: minor units of a currency as a decimal text, by ISO 4217.

use super::call::{ArgKind, Args};
use super::list::failed;
use super::{Changed, text};
use crate::contact::HeldReason;
use crate::document::Value;
use crate::mapping::Held;
use crate::mapping::expr::{Evaluated, Path, Scope, text_of};
use crate::mapping::syntax::{Code, Problem, Problems};

/// The decimals of the currencies of ISO 4217 that do not have two (list one, 2024).
const OTHER: &[(usize, &str)] = &[
    (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
    (3, "BHD IQD JOD KWD LYD OMR TND"),
    (4, "CLF UYW"),
];

/// The currencies of ISO 4217 that have two decimals (list one, 2024).
const TWO: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN \
    BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS \
    GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL \
    MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON \
    RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS \
    UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG ZWL";

/// How many decimals a currency has, where there is such a currency.
fn decimals(code: &str) -> Option<usize> {
    if code.len() != 3 {
        return None;
    }
    let among = |codes: &str| codes.split_whitespace().any(|own| own.eq_ignore_ascii_case(code));
    OTHER
        .iter()
        .find(|(_, codes)| among(codes))
        .map(|(count, _)| *count)
        .or(among(TWO).then_some(2))
}

/// A currency, or where the event says it.
#[derive(Debug)]
pub(in crate::mapping) enum MoneyStep {
    /// The decimals of a currency that the file names.
    Fixed(usize),
    /// The path to the currency's code.
    Path(Path),
}

impl MoneyStep {
    pub(super) fn read(args: &mut Args<'_>, problems: &mut Problems) -> Option<Self> {
        let Some(arg) = args.next("currency") else {
            args.text("a currency, such as `INR` or `$.currency`", problems)?;
            return None;
        };
        if let ArgKind::Path(path) = &arg.kind {
            return Some(Self::Path(path.clone()));
        }
        let code = args.as_text(arg, problems)?;
        let known = decimals(code);
        if known.is_none() {
            let problem = Problem::error(
                Code::Step,
                arg.span.clone(),
                format!("`{code}` is no currency of ISO 4217"),
            );
            args.wrong(problem.help("three letters, such as `INR`, or a path"), problems);
        }
        known.map(Self::Fixed)
    }

    /// How many decimals the currency has.
    pub(super) fn currency(&self, scope: &Scope<'_>) -> Result<usize, Held> {
        let path = match self {
            Self::Fixed(decimals) => return Ok(*decimals),
            Self::Path(path) => path,
        };
        let at = |held: Held| held.at(&format!("the currency at `{}`", path.text()));
        let found = Evaluated::selected(path, scope)?.single("a currency").map_err(at)?;
        let found = found.as_deref().unwrap_or(&Value::Null);
        text_of(found)
            .map(str::trim)
            .and_then(decimals)
            .ok_or_else(|| at(failed("a currency of ISO 4217", found)))
    }
}

/// Whole minor units as a decimal text: `1234` of `INR` is `12.34`.
pub(super) fn decimal(value: &Value, decimals: usize) -> Changed {
    let wrong = || failed("a whole number of minor units", value);
    if matches!(value, Value::Bool(_)) {
        return Err(wrong());
    }
    let written = text(value)?.trim();
    let (sign, digits) = match written.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", written),
    };
    // Some senders write whole numbers as `1234.0`.
    let digits = match digits.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => whole,
        Some(_) => return Err(wrong()),
        None => digits,
    };
    if digits.is_empty() || digits.len() > 40 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    let digits = digits.trim_start_matches('0');
    let digits = format!("{digits:0>width$}", width = decimals + 1);
    let Some((whole, fraction)) = digits.split_at_checked(digits.len() - decimals) else {
        return Err(Held::new(HeldReason::Step, "the amount cannot be written"));
    };
    let point = if decimals == 0 { "" } else { "." };
    Ok(Some(Value::text(format!("{sign}{whole}{point}{fraction}"))))
}

//! A receiver that knows the published contract and nothing of the house: schema, ids, signatures
//! after Standard Webhooks, computed from RFC 2104 by hand.

use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonschema::Validator;
use serde_json::Value;
use sha2::{Digest, Sha256};

const SCHEMA: &str = include_str!("../../contract/hotline-events.schema.json");
/// Bytes of a block of SHA-256.
const BLOCK: usize = 64;
/// Contract: how far the clocks may be apart, seconds.
const TOLERANCE_S: i64 = 300;

/// An event as a receiver reads it, valid by the schema.
pub fn valid(body: &[u8]) -> Value {
    static VALIDATOR: OnceLock<Validator> = OnceLock::new();
    let validator = VALIDATOR.get_or_init(|| {
        jsonschema::validator_for(&serde_json::from_str(SCHEMA).unwrap()).expect("the schema compiles")
    });
    let event: Value = serde_json::from_slice(body).expect("an event is JSON");
    let faults: Vec<String> = validator.iter_errors(&event).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{event}: {faults:?}");
    let text = |field: &str| event[field].as_str().unwrap().to_owned();
    let sequence: u32 = text("sequence").parse().unwrap();
    assert_eq!(text("id"), format!("{}/{sequence}", text("subject")));
    event
}

/// RFC 2104.
fn hmac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut block = [0; BLOCK];
    match key.len() > BLOCK {
        true => block[..32].copy_from_slice(&Sha256::digest(key)),
        false => block[..key.len()].copy_from_slice(key),
    }
    let pad = |with: u8| block.map(|byte| byte ^ with);
    let mut inner = Sha256::new_with_prefix(pad(0x36));
    parts.iter().for_each(|part| inner.update(part));
    Sha256::new_with_prefix(pad(0x5c)).chain_update(inner.finalize()).finalize().to_vec()
}

/// What a receiver computes.
pub fn signature(secret: &str, id: &str, timestamp: &str, body: &[u8]) -> String {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret)).unwrap();
    let mac = hmac(&key, &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body]);
    format!("v1,{}", STANDARD.encode(mac))
}

/// The three headers of one delivery, judged by a clock that stands at `unix_s`.
pub fn assert_signed(secret: &str, header: impl Fn(&str) -> String, body: &[u8], unix_s: i64) {
    let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
    let apart = (timestamp.parse::<i64>().unwrap() - unix_s).abs();
    assert!(apart <= TOLERANCE_S, "signed {apart} s away");
    let wanted = signature(secret, &id, &timestamp, body);
    let sent = header("webhook-signature");
    assert!(sent.split(' ').any(|one| one == wanted), "{sent} is not {wanted}");
}

#[test]
fn the_receiver_computes_the_published_example_and_rfc_4231s_long_key() {
    let body = br#"{"test": 2432232314}"#;
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let signed = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body);
    assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    let mac = hmac(&[0xaa; 131], &[b"Test Using Larger Than Block-Size Key", b" - Hash Key First"]);
    let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

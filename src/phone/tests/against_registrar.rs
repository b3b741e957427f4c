use super::*;

/// A small registrar: checks the digest by itself, for SHA-256 and MD5.
struct Registrar {
    nonce: u32,
    nc: u32,
    algorithms: Vec<Algorithm>,
    password: &'static str,
    min_expires_s: u32,
    /// Uses after which a nonce is stale.
    uses: u32,
}

impl Registrar {
    fn new() -> Self {
        Registrar {
            nonce: 1,
            nc: 0,
            algorithms: vec![Algorithm::Md5, Algorithm::Sha256],
            password: "secret",
            min_expires_s: 60,
            uses: 100,
        }
    }

    fn answer(&mut self, text: &str) -> Option<String> {
        if kind(text) != "REGISTER" {
            return None;
        }
        let Some(stale) = self.judge(header(text, "Authorization")) else {
            let expires_s: u32 = header(text, "Expires").parse().unwrap();
            if expires_s > 0 && expires_s < self.min_expires_s {
                return Some(answer_to(
                    text,
                    423,
                    "r",
                    &format!("Min-Expires: {}\r\n", self.min_expires_s),
                    "",
                ));
            }
            let contacts = format!(
                "Contact: <sip:other@192.0.2.99>;expires=9,{};expires={expires_s}\r\n",
                header(text, "Contact")
            );
            return Some(answer_to(text, 200, "r", &contacts, ""));
        };
        self.nonce += 1;
        self.nc = 0;
        let challenge = |algorithm: &Algorithm| {
            let (nonce, name) = (self.nonce, algorithm.name());
            format!(
                "WWW-Authenticate: Digest realm=\"city.example\", nonce=\"nonce{nonce}\", qop=\"auth,auth-int\", algorithm={name}, stale={stale}\r\n"
            )
        };
        Some(answer_to(text, 401, "r", &self.algorithms.iter().map(challenge).collect::<String>(), ""))
    }

    /// `None` where the credentials are right, else whether they are merely stale.
    fn judge(&mut self, credentials: &str) -> Option<bool> {
        let field = |name: &str| {
            let (_, rest) = credentials.split_once(&format!("{name}="))?;
            rest.split(',').next().map(|value| value.trim_matches('"'))
        };
        let Some(nonce) = field("nonce") else {
            return Some(false);
        };
        let algorithm =
            if field("algorithm") == Some("SHA-256") { Algorithm::Sha256 } else { Algorithm::Md5 };
        let challenge = digest::Challenge {
            realm: "city.example".into(),
            nonce: nonce.into(),
            opaque: None,
            algorithm,
            qop_auth: true,
            stale: false,
        };
        let nc = u32::from_str_radix(field("nc")?, 16).unwrap();
        let expected = digest::response(
            &challenge,
            "1001",
            self.password,
            "REGISTER",
            field(" uri")?,
            Some((nc, field("cnonce")?)),
        );
        if field("response") != Some(&expected) {
            return Some(false);
        }
        if nonce != format!("nonce{}", self.nonce) || nc <= self.nc || nc > self.uses {
            return Some(true);
        }
        self.nc = nc;
        None
    }
}

fn city(seed: u64, mut registrar: Registrar, set: impl FnOnce(&mut PhoneConfig)) -> Net {
    let mut net = Net::new(seed);
    net.answer = Some(Box::new(move |text| registrar.answer(text)));
    net.plug("1001", desk(), |config| {
        config.password = Some("secret".into());
        set(config);
    });
    net.order(0, |phone, now| phone.register(now));
    net
}

#[test]
fn a_phone_registers_by_sha_256_and_again_at_half_life() {
    let mut net = city(1, Registrar::new(), |_| {});
    net.run_for(secs(1));
    assert!(net.phones[0].is_registered());
    let first = net.desk_heard();
    assert_eq!(
        (first.len(), header(&first[0], "CSeq"), header(&first[1], "CSeq")),
        (2, "1 REGISTER", "2 REGISTER")
    );
    assert_eq!(header(&first[0], "Call-ID"), header(&first[1], "Call-ID"));
    assert!(first[0].starts_with("REGISTER sip:city.example SIP/2.0\r\n"), "{}", first[0]);
    assert!(header(&first[1], "Authorization").contains("algorithm=SHA-256"), "{}", first[1]);
    net.run_for(secs(148));
    assert_eq!(net.desk_heard(), [""; 0]);
    net.run_for(secs(2));
    let second = net.desk_heard();
    assert_eq!((second.len(), header(&second[0], "CSeq")), (1, "3 REGISTER"), "the nonce is used again");
    assert!(header(&second[0], "Authorization").contains("nc=00000002"), "{}", second[0]);
    let registered = PhoneEvent::Registered { expires_s: 300 };
    assert_eq!(net.told(0), [registered.clone(), registered]);
    net.order(0, |phone, now| phone.unregister(now));
    net.run_for(secs(1));
    assert_eq!((net.told(0), net.phones[0].is_registered()), (vec![PhoneEvent::Unregistered], false));
    assert_eq!(net.phones[0].poll_timeout().map(|at| at.since(net.mono) <= secs(5)), Some(true));
    net.run_for(secs(600));
    assert_eq!((net.desk_heard().len(), net.phones[0].poll_timeout()), (1, None));
}

#[test]
fn a_registrar_that_knows_md5_only_is_served_so() {
    let registrar = Registrar { algorithms: vec![Algorithm::Md5], ..Registrar::new() };
    let mut net = city(2, registrar, |_| {});
    net.run_for(secs(1));
    assert!(net.phones[0].is_registered());
    let mut net = city(2, Registrar { algorithms: vec![Algorithm::Md5], ..Registrar::new() }, |config| {
        config.algorithms = vec![Algorithm::Sha256]
    });
    net.run_for(secs(1));
    assert_eq!(net.told(0), [PhoneEvent::RegisterFailed { status: Some(401) }]);
}

#[test]
fn a_stale_nonce_is_replaced_and_a_short_life_lengthened() {
    let mut net =
        city(3, Registrar { uses: 1, min_expires_s: 90, ..Registrar::new() }, |config| config.expires_s = 30);
    net.run_for(secs(200));
    let told = net.told(0);
    assert_eq!(told, vec![PhoneEvent::Registered { expires_s: 90 }; told.len()]);
    assert!((4..=5).contains(&told.len()), "each 45 s: {told:?}");
}

#[test]
fn a_wrong_password_fails_at_once_and_is_not_tried_on() {
    let mut net = city(4, Registrar { password: "other", ..Registrar::new() }, |_| {});
    net.run_for(secs(600));
    assert_eq!(net.told(0), [PhoneEvent::RegisterFailed { status: Some(401) }]);
    assert_eq!(net.desk_heard().len(), 2);
}

#[test]
fn a_silent_registrar_is_tried_again_later() {
    let mut net = Net::new(5);
    net.plug("1001", desk(), |config| config.password = Some("secret".into()));
    net.order(0, |phone, now| phone.register(now));
    net.run_for(secs(33));
    assert_eq!(net.told(0), [PhoneEvent::RegisterFailed { status: None }]);
    let mut registrar = Registrar::new();
    net.answer = Some(Box::new(move |text| registrar.answer(text)));
    net.run_for(secs(31));
    assert_eq!(net.told(0), [PhoneEvent::Registered { expires_s: 300 }]);
}

#[test]
fn on_a_bad_line_registration_lasts() {
    for seed in 0..20 {
        let mut net = city(seed, Registrar::new(), |_| {});
        net.lossy = 20;
        net.run_for(secs(2_000));
        let told = net.told(0);
        assert!(
            told.iter().all(|event| *event == PhoneEvent::Registered { expires_s: 300 }),
            "seed {seed}: {told:?}"
        );
        assert!((12..=14).contains(&told.len()), "seed {seed}: {told:?}");
    }
}

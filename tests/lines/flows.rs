//! The flows that the shipped `routing.toml` shows, each switched on: checked, and told by `hotline explain`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use hotline::routing::{Draft, Outcome, Overrides};
use serde_json::Value;

/// Blocks that are shown and not in force, from `#[` to the next empty line, each with its name.
fn shown(text: &str) -> Vec<(String, &str)> {
    let blocks = text.split("\n\n").map(|block| block.trim_start_matches('\n'));
    let begins = |line: &str| ["#[[flow]]", "#[[look_up]]", "#[[bot]]", "#[calling]"].contains(&line);
    blocks
        .filter_map(|block| {
            let start = block.lines().scan(0, |at, line| {
                let here = *at;
                *at += line.len() + 1;
                Some((here, line))
            });
            let (start, first) = start.into_iter().find(|(_, line)| begins(line))?;
            let block = &block[start..];
            let name = block.lines().find_map(|line| line.strip_prefix("#name = \""));
            let name = name.map_or("", |name| name.trim_end_matches('"'));
            Some((format!("{} {name}", first.trim_matches(['#', '[', ']'])).trim().to_owned(), block))
        })
        .collect()
}

/// The shipped file with these blocks in force, and the flow of 12345 that comes first.
fn switched_on(blocks: &[&str]) -> String {
    let shipped = include_str!("../../routing.toml");
    let mut text = shipped.to_owned();
    let all = shown(shipped);
    for wanted in blocks {
        let (_, block) =
            all.iter().find(|(name, _)| name == wanted).unwrap_or_else(|| panic!("{wanted} is shown"));
        let live = |line: &str| {
            line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line).to_owned()
        };
        let lines: Vec<String> = block.lines().map(live).collect();
        text = text.replacen(block, &lines.join("\n"), 1);
    }
    // The group that calls go out by is shown only, too.
    text = text.replace("\ntrunk = \"carriers\"\nline", "\ntrunk = \"sub-12366\"\nline");
    let flow = blocks.iter().find_map(|block| block.strip_prefix("flow ")).expect("a flow");
    let name = "name = \"12345政务服务便民热线\"";
    assert_eq!(text.matches(name).count(), 1);
    text.replace(name, &format!("{name}\nflow = \"{flow}\""))
}

fn judged(text: &str) -> Outcome {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut draft = Draft::read("routing.toml", Ok(text.as_bytes().to_vec()), &Overrides::default());
    loop {
        let wanted = draft.wants();
        if wanted.is_empty() {
            return draft.judge();
        }
        for name in wanted {
            let bytes = std::fs::read(home.join(&name)).map_err(|error| error.to_string());
            draft.give(&name, bytes);
        }
    }
}

const FAQ: &[&str] = &["flow faq", "flow faq_card", "flow faq_fund", "flow faq_medical"];
const ORDER: &[&str] = &["flow order", "flow order_help", "flow order_complaint", "flow order_kept"];
const PROGRESS: &[&str] =
    &["flow progress", "flow progress_missing", "flow progress_failed", "look_up tickets"];
const MOVE_CAR: &[&str] =
    &["flow move_car", "flow car_missing", "flow car_unanswered", "look_up owners", "calling"];

const ASSISTANT: &[&str] = &["flow assistant", "bot assistant"];

fn services() -> Vec<&'static str> {
    [&["flow services"], ORDER, PROGRESS, MOVE_CAR].concat()
}

/// Everything that is shown: the hour and the caller lead to all of it.
fn by_hours() -> Vec<&'static str> {
    [&["flow by_hours"], &services()[..], FAQ, ASSISTANT].concat()
}

#[test]
fn each_flow_that_is_shown_can_be_switched_on_by_itself_and_all_of_them_behind_a_menu() {
    let (services, by_hours) = (services(), by_hours());
    let drills = ["W0101", "W0102", "W0102", "W0102", "W0102"];
    for blocks in [FAQ, ORDER, PROGRESS, MOVE_CAR, ASSISTANT, &services, &by_hours] {
        let outcome = judged(&switched_on(blocks));
        let codes: Vec<&str> = outcome.report.diagnostics.iter().map(|found| found.code).collect();
        // Those that another one leads to greet nobody: where they come first, nothing tells of the recording.
        let greets = [FAQ, &services, &by_hours, ASSISTANT].contains(&blocks);
        let untold = (!greets).then_some("W0120");
        let expected: Vec<&str> = drills.into_iter().chain(untold).collect();
        assert_eq!(codes, expected, "{blocks:?}\n{}", outcome.report.render(false));
        let plan = outcome.plan.expect("a plan");
        let first = plan.lines["12345"].script.as_ref().expect("a flow");
        assert_eq!(Some(first.as_str()), blocks[0].strip_prefix("flow "));
        assert!(plan.scripts.values().all(|script| !script.acts.is_empty()));
    }
}

#[test]
fn none_of_them_is_on_as_shipped_and_every_one_that_is_shown_is_tried_here() {
    let shipped = include_str!("../../routing.toml");
    let plan = judged(shipped).plan.expect("a plan");
    assert!(plan.scripts.is_empty() && plan.look_ups.is_empty() && plan.bots.is_empty());
    assert!(plan.lines.values().all(|line| line.script.is_none()));
    let tried: BTreeSet<String> = by_hours().into_iter().map(str::to_owned).collect();
    let shown: BTreeSet<String> = shown(shipped).into_iter().map(|(name, _)| name).collect();
    assert_eq!(shown, tried);
}

/// A folder of its own with a plan beside the shipped prompts, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, text: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("hotline-flows-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        let home = env!("CARGO_MANIFEST_DIR");
        let prompts = format!("prompts = \"{home}/prompts/prompts.toml\"");
        let text = text.replace("prompts = \"prompts/prompts.toml\"", &prompts);
        std::fs::write(path.join("routing.toml"), text).expect("a file");
        Folder(path)
    }

    fn explain(&self, words: &[&str]) -> Output {
        let output = Command::new(env!("CARGO_BIN_EXE_hotline"))
            .args(["explain", "--to", "12345", "--at", "2026-07-01T09:00:00+08:00"])
            .args(words)
            .current_dir(&self.0)
            .output()
            .expect("the command runs");
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        output
    }

    fn json(&self, words: &[&str]) -> Value {
        serde_json::from_slice(&self.explain(&[words, &["--json"]].concat()).stdout).expect("JSON")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn flows(value: &Value) -> Vec<&str> {
    value["flows"]
        .as_array()
        .expect("flows")
        .iter()
        .map(|flow| flow["name"].as_str().expect("a name"))
        .collect()
}

fn acts<'a>(value: &'a Value, name: &str) -> &'a Vec<Value> {
    let mut flows = value["flows"].as_array().expect("flows").iter();
    let flow = flows.find(|flow| flow["name"] == name).unwrap_or_else(|| panic!("{name} is told"));
    flow["acts"].as_array().expect("acts")
}

#[test]
fn a_call_is_told_act_by_act_with_where_each_leads_and_the_lines_that_decide() {
    let folder = Folder::new("told", &switched_on(&services()));
    let value = folder.json(&["--from", "13800000000"]);
    assert_eq!(
        flows(&value),
        [
            "services",
            "order",
            "progress",
            "move_car",
            "order_help",
            "order_complaint",
            "order_kept",
            "progress_missing",
            "progress_failed",
            "car_missing",
            "car_unanswered",
        ],
        "in the order in which the call may come to them"
    );
    let at = value["flow_at"].as_u64().expect("a place") as usize;
    assert!(value["steps"][at]["en"].as_str().expect("words").contains("the flow services"));
    let services = acts(&value, "services");
    let menu = &services[1];
    assert_eq!((&menu["kind"], &menu["step"]), (&"menu".into(), &2.into()));
    assert_eq!(menu["said"][0]["prompt"], "services_menu");
    assert_eq!(menu["place"]["text"], "menu = \"services_menu\"");
    let ways: Vec<(String, String)> = menu["ways"]
        .as_array()
        .expect("ways")
        .iter()
        .map(|way| (way["when"]["en"].as_str().expect("words").to_owned(), way["to"].to_string()))
        .collect();
    let way = |when: &str, to: &str| (when.to_owned(), to.to_owned());
    assert_eq!(
        ways,
        [
            way("by the key 1", "{\"flow\":\"order\"}"),
            way("by the key 2", "{\"flow\":\"progress\"}"),
            way("by the key 3", "{\"flow\":\"move_car\"}"),
            way("after the last try", "\"person\""),
            way("by the key 0", "\"person\""),
        ]
    );
    let relay = acts(&value, "move_car")[3]["words"]["en"].as_str().expect("words");
    assert!(relay.contains("by sub-12366 as 12345; neither side is shown the other's number"), "{relay}");
    let decided = value["decided_by"].as_array().expect("places");
    let said: Vec<&str> = decided.iter().map(|place| place["text"].as_str().expect("a line")).collect();
    for line in
        ["flow = \"services\"", "name = \"services\"", "menu = \"services_menu\"", "look_up = \"owners\""]
    {
        assert!(said.contains(&line), "{line} of {said:?}");
    }

    let text = String::from_utf8(folder.explain(&["--from", "13800000000"]).stdout).expect("UTF-8");
    for words in [
        "流程 / flow services",
        "· 按 2 → 流程 progress / by the key 2 → the flow progress",
        "挂机",
        "(routing.toml:",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
}

/// A flow that goes by the line, the caller and the hour.
const BRANCHED: &str = "[[flow]]
name = \"by_caller\"
[[flow.step]]
branch = [
    { line = [\"12348\"], to = \"law\" },
    { caller = [\"0393\"], inside = [{ days = \"mon-fri\", from = \"08:30\", to = \"18:00\" }], to = \"near\" },
    { caller = [\"139\"], to = \"mobile\" },
]
[[flow.step]]
play = \"goodbye\"
[[flow]]
name = \"law\"
[[flow.step]]
play = \"greeting\"
[[flow]]
name = \"near\"
[[flow.step]]
play = \"greeting\"
[[flow]]
name = \"mobile\"
[[flow.step]]
queue = \"main\"

# ── 工单 Tickets";

fn branched() -> String {
    let text = include_str!("../../routing.toml").replacen("# ── 工单 Tickets", BRANCHED, 1);
    let law = "name = \"全国公共法律服务专用电话\"";
    let main = "name = \"12345政务服务便民热线\"";
    let text = text.replace(law, &format!("{law}\nflow = \"by_caller\""));
    text.replace(main, &format!("{main}\nflow = \"by_caller\""))
}

#[test]
fn what_line_caller_and_instant_decide_is_decided() {
    let folder = Folder::new("decided", &branched());
    let saturday = "2026-07-04T09:00:00+08:00";
    for (words, expected, when) in [
        (
            &["--from", "03934411111"][..],
            &["by_caller", "near"][..],
            Some("Mon–Fri 08:30–18:00 (as of this call)"),
        ),
        (&["--from", "13900000000"], &["by_caller", "mobile"], Some("begins with 139 (as of this call)")),
        // However the carrier writes it.
        (&["--from", "+8613900000000"], &["by_caller", "mobile"], Some("begins with 139 (as of this call)")),
        (&["--from", "13800000000"], &["by_caller"], Some("none of them (as of this call)")),
    ] {
        let value = folder.json(words);
        assert_eq!(flows(&value), expected, "{words:?}");
        let acts = acts(&value, "by_caller");
        let ways = acts[0]["ways"].as_array().expect("ways");
        assert_eq!(ways.len(), 1, "{ways:?}");
        let said = ways[0]["when"]["en"].as_str();
        assert!(said.zip(when).is_some_and(|(said, when)| said.ends_with(when)), "{said:?}");
        // What stands behind the branch is come to only where no case is so.
        assert_eq!(acts.len(), if expected.len() == 1 { 2 } else { 1 });
    }
    let output = Command::new(env!("CARGO_BIN_EXE_hotline"))
        .args(["explain", "--to", "12345", "--from", "03934411111", "--at", saturday, "--json"])
        .current_dir(&folder.0)
        .output()
        .expect("the command runs");
    let value: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(flows(&value), ["by_caller"], "nobody is there on Saturdays");
    let output = Command::new(env!("CARGO_BIN_EXE_hotline"))
        .args(["explain", "--to", "12348", "--from", "13900000000", "--json"])
        .current_dir(&folder.0)
        .output()
        .expect("the command runs");
    let value: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(flows(&value), ["by_caller", "law"], "by the line, whoever calls");
}

#[test]
fn the_page_stands_alone_with_the_flow_drawn_and_nothing_hostile_in_it() {
    let folder = Folder::new("page", &switched_on(&services()));
    let path = folder.0.join("call.html");
    let to = path.to_str().expect("a path");
    folder.explain(&["--from", "<script>alert(1)</script>", "--html", to]);
    let page = std::fs::read_to_string(&path).expect("the page");
    assert!(page.starts_with("<!DOCTYPE html>") && page.trim_end().ends_with("</html>"));
    assert!(!page.contains("<script") && page.contains("&lt;script&gt;"));
    assert!(
        !page.contains("src=") && !page.contains("@import") && !page.contains("url(http"),
        "nothing from elsewhere"
    );
    assert_eq!(page.matches("<svg").count(), 1);
    for words in [
        "流程 / flow services",
        "services_menu",
        "自助登记按1，查进度按2，挪车按3，人工按0。",
        "by the key 3 → the flow move_car",
        "人工: ",
        "menu = &quot;services_menu&quot;",
        "class=\"way zero\"",
    ] {
        assert!(page.contains(words), "{words}");
    }
    for tag in
        ["table", "tr", "td", "figure", "svg", "p", "h2", "h3", "span", "text", "g", "ol", "ul", "li", "code"]
    {
        let opened = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }

    let plain = Folder::new("plain", include_str!("../../routing.toml"));
    let path = plain.0.join("call.html");
    plain.explain(&["--from", "13800000000", "--html", path.to_str().expect("a path")]);
    let page = std::fs::read_to_string(&path).expect("the page");
    assert!(page.contains("<svg") && !page.contains("way zero"), "a line without a flow is drawn as well");
}

#[test]
fn what_one_caller_presses_and_others_say_leads_through_the_flows_in_words_in_json_and_on_the_page() {
    let folder = Folder::new("path", &switched_on(&services()));
    let page = folder.0.join("call.html");
    let to = page.to_str().expect("a path");
    let call = ["--from", "13800000000", "--keys", "3123456#", "--answer", "owners.owner=13900000001"];
    let text = |words: &[&str]| {
        String::from_utf8(folder.explain(&[&call[..], words].concat()).stdout).expect("UTF-8")
    };
    let seats = ["--seats", "some", "--answered", "false", "--html", to];
    let said = text(&seats);
    for words in [
        "这个来电的经过 / the way of this call",
        "· 按 123456# / presses 123456#",
        "by the key 3 → the flow move_car",
        "nobody picks up",
        "有空闲座席，接听并通话",
        "as if no hot notices stood",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let (_, decided) = said.split_once("依据 / decided by").expect("what decides");
    assert!(decided.contains("car_unanswered") && !decided.contains("\"progress\""), "{decided}");
    let drawn = std::fs::read_to_string(&page).expect("the page");
    for words in
        ["<h2>这个来电的经过", "<code>123456#</code>", "nobody picks up", "by the key 3 → the flow move_car"]
    {
        assert!(drawn.contains(words), "{words}");
    }
    let value = folder.json(&[&call[..], &seats[..4]].concat());
    assert_eq!(value["path"]["fate"]["target"], "13900000001");
    assert_eq!(value["path"]["fate"]["queue"], "main");
    assert_eq!(value["path"]["hangs_on"], Value::Null);
    // What nobody has said ends the way, with the option that says it.
    let said = text(&["--html", to]);
    assert!(
        said.contains("hangs on whether somebody picks up there, which is not said: add --answered"),
        "{said}"
    );
    assert!(std::fs::read_to_string(&page).expect("the page").contains("<code>--answered true|false</code>"));
    let value = folder.json(&call);
    assert_eq!(value["path"]["hangs_on"]["option"], "--answered true|false");
    assert_eq!(value["path"]["fate"], Value::Null);
    // Nothing is said: nothing is walked.
    assert_eq!(folder.json(&call[..2])["path"], Value::Null);
    for (words, why) in [
        (["--answer", "owner=missing"], "there are: owners, tickets"),
        (["--answer", "owners.street=x"], "there are: owner"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_hotline"))
            .args(["explain", "--to", "12345", "--from", "13800000000"])
            .args(words)
            .current_dir(&folder.0)
            .output()
            .expect("the command runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && said.contains(why), "{said}");
    }
}

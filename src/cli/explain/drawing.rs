//! A call's way drawn as SVG: frames of boxes in layers, ways as arrows, the person at the right.
//!
//! A frame stands below all that lead to it, but for those that it leads back to. Arrows leave a box at its right, go
//! down beside their frame to the gap under its layer, and along that gap: down to a frame of the next layer, right to
//! the person, or out to the right and from there to the gap over any other layer. Each has a track of its own in every
//! gap, so that no two lie on one another.

use std::collections::VecDeque;
use std::fmt::Write;

use super::super::load::plot::escape;

/// What is drawn.
#[derive(Debug, Default)]
pub struct Drawing {
    /// The first is where the call begins.
    pub frames: Vec<Frame>,
    /// Ways between boxes and frames.
    pub arrows: Vec<Arrow>,
    /// The bar at the right; `None`: nothing leads there.
    pub person: Option<Block>,
}

/// Boxes one below the other.
#[derive(Debug)]
pub struct Frame {
    /// Its heading.
    pub title: String,
    /// From top to bottom.
    pub blocks: Vec<Block>,
    /// Whether the key for a person works in it.
    pub zero: bool,
}

/// A box.
#[derive(Debug)]
pub struct Block {
    /// Its colour.
    pub look: Look,
    /// Chinese.
    pub zh: String,
    /// English, below it.
    pub en: String,
}

/// What a box is, by its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Something happens.
    Plain,
    /// The caller is asked.
    Question,
    /// A person.
    Person,
    /// The call is over.
    End,
}

/// A way from a box, by its frame and its place there.
#[derive(Debug)]
pub struct Arrow {
    /// Where it begins.
    pub from: (usize, usize),
    /// What stands beside its beginning.
    pub label: String,
    /// Where it ends.
    pub to: To,
}

/// Where an arrow ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    /// At the next box of its frame.
    Next,
    /// At a frame's top.
    Frame(usize),
    /// At the person.
    Person,
}

const BLOCK: f64 = 250.0;
const PAD: f64 = 10.0;
const LINE: f64 = 16.0;
const HEAD: f64 = 24.0;
/// Between two boxes of a frame.
const STEP: f64 = 26.0;
/// Between two tracks.
const TRACK: f64 = 9.0;
const MARGIN: f64 = 20.0;
const PERSON: f64 = 200.0;
/// Lines of one language in a box; what is longer is told in full below the drawing.
const LINES_MAX: usize = 5;
/// In units: 12 for a Chinese letter, 6.8 for others.
const WIDE: f64 = 12.0;
const NARROW: f64 = 6.8;

/// A frame's place.
#[derive(Debug, Clone, Copy, Default)]
struct Spot {
    layer: usize,
    x: f64,
    y: f64,
    height: f64,
    /// Width of the space for arrows at its right.
    gutter: f64,
}

impl Spot {
    const WIDTH: f64 = BLOCK + 2.0 * PAD;

    fn right(&self) -> f64 {
        self.x + Spot::WIDTH
    }
}

/// An arrow that leaves its frame, and the tracks that it has.
struct Run<'a> {
    arrow: &'a Arrow,
    zero: bool,
    /// Beside its frame, from the left.
    lane: usize,
    /// In the gap under its layer.
    low: usize,
    /// In the gap over its target, and at the far right, where that is another gap.
    high: Option<(usize, usize)>,
}

/// The drawing.
pub fn draw(drawing: &Drawing) -> String {
    let layers = layers(drawing);
    let depth = layers.iter().max().map_or(0, |last| last + 1);
    let zeros: Vec<Arrow> = zeros(drawing);
    let (runs, tracks, outer) = runs(drawing, &zeros, &layers, depth);
    let (spots, gaps, width) = place(drawing, &layers, &runs, &tracks);
    let bar = width + MARGIN + outer as f64 * TRACK + if drawing.person.is_some() { MARGIN } else { 0.0 };
    let bottom =
        gaps.last().copied().unwrap_or(0.0) + tracks.last().map_or(0, |count| *count) as f64 * TRACK + MARGIN;
    let total = bar + drawing.person.as_ref().map_or(0.0, |_| PERSON + MARGIN);
    let mut svg = String::new();
    // Writing to a String cannot fail.
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {total:.0} {bottom:.0}\" width=\"{total:.0}\" height=\"{bottom:.0}\" role=\"img\"><defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path d=\"M0,0 L8,4 L0,8 z\"/></marker></defs>"
    );
    for (frame, spot) in drawing.frames.iter().zip(&spots) {
        draw_frame(&mut svg, frame, spot);
    }
    if let Some(person) = &drawing.person {
        let (top, height) = (MARGIN, bottom - 2.0 * MARGIN);
        let _ = write!(
            svg,
            "<rect class=\"person\" x=\"{bar:.0}\" y=\"{top:.0}\" width=\"{PERSON:.0}\" height=\"{height:.0}\" rx=\"6\"/>"
        );
        let room = ((height - PAD) / LINE) as usize;
        words(&mut svg, person, bar + PAD, top + PAD, PERSON - 2.0 * PAD, room / 2);
    }
    for arrow in drawing.arrows.iter().filter(|arrow| arrow.to == To::Next) {
        step_down(&mut svg, drawing, &spots, arrow);
    }
    for run in &runs {
        draw_run(&mut svg, drawing, run, &spots, &gaps, (width + MARGIN, bar), &runs);
    }
    svg + "</svg>"
}

/// How far down each frame stands; what nothing leads to stands in the first layer.
fn layers(drawing: &Drawing) -> Vec<usize> {
    let between = |arrow: &Arrow| match arrow.to {
        To::Frame(to) if to < drawing.frames.len() => Some((arrow.from.0, to)),
        To::Frame(_) | To::Next | To::Person => None,
    };
    let ways: Vec<(usize, usize)> = drawing.arrows.iter().filter_map(between).collect();
    let mut layers = distances(0, drawing.frames.len(), &ways);
    let onward: Vec<(usize, usize)> = ways
        .iter()
        .copied()
        .filter(|(from, to)| distances(*to, drawing.frames.len(), &ways)[*from].is_none())
        .collect();
    // No ring among these: after as many rounds as there are frames nothing moves.
    for _ in 0..drawing.frames.len() {
        for (from, to) in &onward {
            if let (Some(above), Some(below)) = (layers[*from], layers[*to]) {
                layers[*to] = Some(below.max(above + 1));
            }
        }
    }
    layers.into_iter().map(Option::unwrap_or_default).collect()
}

/// How many ways each frame is from one; `None`: it is not come to.
fn distances(from: usize, count: usize, ways: &[(usize, usize)]) -> Vec<Option<usize>> {
    let mut distances = vec![None; count];
    let mut ahead = VecDeque::from([(from, 0)]);
    while let Some((frame, distance)) = ahead.pop_front() {
        match distances.get_mut(frame) {
            Some(place @ None) => *place = Some(distance),
            _ => continue,
        }
        ahead.extend(ways.iter().filter(|(begins, _)| *begins == frame).map(|(_, to)| (*to, distance + 1)));
    }
    distances
}

/// The key for a person, once a frame.
fn zeros(drawing: &Drawing) -> Vec<Arrow> {
    let frames =
        drawing.frames.iter().enumerate().filter(|(_, frame)| frame.zero && drawing.person.is_some());
    frames.map(|(frame, _)| Arrow { from: (frame, 0), label: "0".to_owned(), to: To::Person }).collect()
}

/// The arrows that leave their frames, how many tracks each gap has, and how many go by the far right. Gap 0 is over
/// the first layer.
fn runs<'a>(
    drawing: &'a Drawing,
    zeros: &'a [Arrow],
    layers: &[usize],
    depth: usize,
) -> (Vec<Run<'a>>, Vec<usize>, usize) {
    let mut tracks = vec![0; depth + 1];
    let mut lanes = vec![0; drawing.frames.len()];
    let mut outer = 0;
    let next = |count: &mut usize| {
        *count += 1;
        *count - 1
    };
    let own = drawing.arrows.iter().filter(|arrow| arrow.to != To::Next).map(|arrow| (arrow, false));
    let mut runs = Vec::new();
    for (arrow, zero) in zeros.iter().map(|arrow| (arrow, true)).chain(own) {
        let (Some(from), Some(lane)) = (layers.get(arrow.from.0), lanes.get_mut(arrow.from.0)) else {
            continue;
        };
        let low = next(&mut tracks[from + 1]);
        let high = match arrow.to {
            To::Frame(to) => layers
                .get(to)
                .filter(|to| **to != *from + 1)
                .map(|to| (next(&mut tracks[*to]), next(&mut outer))),
            To::Next | To::Person => None,
        };
        runs.push(Run { arrow, zero, lane: next(lane), low, high });
    }
    (runs, tracks, outer)
}

/// Where frames stand, where gaps begin from the top, and how wide the layers are.
fn place(
    drawing: &Drawing,
    layers: &[usize],
    runs: &[Run<'_>],
    tracks: &[usize],
) -> (Vec<Spot>, Vec<f64>, f64) {
    let mut spots: Vec<Spot> = drawing
        .frames
        .iter()
        .zip(layers)
        .enumerate()
        .map(|(place, (frame, layer))| {
            let own = || runs.iter().filter(|run| run.arrow.from.0 == place);
            let label = own().map(|run| text_width(&run.arrow.label)).fold(0.0, f64::max);
            let gutter = label + own().count() as f64 * TRACK + 2.0 * PAD;
            Spot { layer: *layer, height: frame_height(frame), gutter, ..Spot::default() }
        })
        .collect();
    let row = |spots: &[Spot], layer: usize| -> f64 {
        spots.iter().filter(|spot| spot.layer == layer).map(|spot| Spot::WIDTH + spot.gutter).sum()
    };
    let width = (0..tracks.len()).map(|layer| row(&spots, layer)).fold(0.0, f64::max) + MARGIN;
    let mut y = MARGIN;
    let mut gaps = Vec::with_capacity(tracks.len());
    for (layer, count) in tracks.iter().enumerate() {
        gaps.push(y + PAD);
        y += 2.0 * PAD + *count as f64 * TRACK + if layer == 0 { 0.0 } else { PAD };
        let mut x = MARGIN + (width - MARGIN - row(&spots, layer)) / 2.0;
        let mut height: f64 = 0.0;
        for spot in spots.iter_mut().filter(|spot| spot.layer == layer) {
            (spot.x, spot.y) = (x, y);
            x += Spot::WIDTH + spot.gutter;
            height = height.max(spot.height);
        }
        y += height;
    }
    (spots, gaps, width)
}

fn frame_height(frame: &Frame) -> f64 {
    let blocks: f64 = frame.blocks.iter().map(|block| block_height(block) + STEP).sum();
    HEAD + PAD + blocks - if frame.blocks.is_empty() { 0.0 } else { STEP } + PAD
}

fn block_height(block: &Block) -> f64 {
    let room = BLOCK - 2.0 * PAD;
    let lines = wrap(&block.zh, room, LINES_MAX).len() + wrap(&block.en, room, LINES_MAX).len();
    lines as f64 * LINE + 2.0 * PAD
}

/// Top and height of a box.
fn block_spot(frame: &Frame, spot: &Spot, place: usize) -> (f64, f64) {
    let above: f64 = frame.blocks.iter().take(place).map(|block| block_height(block) + STEP).sum();
    (spot.y + HEAD + PAD + above, frame.blocks.get(place).map_or(0.0, block_height))
}

fn draw_frame(svg: &mut String, frame: &Frame, spot: &Spot) {
    let (x, y, width, height) = (spot.x, spot.y, Spot::WIDTH, spot.height);
    let title = escape(&frame.title);
    let _ = write!(
        svg,
        "<rect class=\"frame\" x=\"{x:.0}\" y=\"{y:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" rx=\"8\"/><text class=\"title\" x=\"{:.0}\" y=\"{:.0}\">{title}</text>",
        x + PAD,
        y + 17.0
    );
    for (place, block) in frame.blocks.iter().enumerate() {
        let (top, height) = block_spot(frame, spot, place);
        let class = match block.look {
            Look::Plain => "plain",
            Look::Question => "question",
            Look::Person => "person",
            Look::End => "end",
        };
        let left = x + PAD;
        let _ = write!(
            svg,
            "<g><title>{}\n{}</title><rect class=\"{class}\" x=\"{left:.0}\" y=\"{top:.0}\" width=\"{BLOCK:.0}\" height=\"{height:.0}\" rx=\"5\"/>",
            escape(&block.zh),
            escape(&block.en)
        );
        words(svg, block, left + PAD, top + PAD, BLOCK - 2.0 * PAD, LINES_MAX);
        *svg += "</g>";
    }
}

/// Both languages, so many lines of each.
fn words(svg: &mut String, block: &Block, x: f64, y: f64, width: f64, lines_max: usize) {
    let mut y = y + 11.0;
    for (class, text) in [("zh", &block.zh), ("en", &block.en)] {
        for line in wrap(text, width, lines_max) {
            let _ = write!(svg, "<text class=\"{class}\" x=\"{x:.0}\" y=\"{y:.0}\">{}</text>", escape(&line));
            y += LINE;
        }
    }
}

fn step_down(svg: &mut String, drawing: &Drawing, spots: &[Spot], arrow: &Arrow) {
    let (Some(frame), Some(spot)) = (drawing.frames.get(arrow.from.0), spots.get(arrow.from.0)) else {
        return;
    };
    let (top, height) = block_spot(frame, spot, arrow.from.1);
    let (next, _) = block_spot(frame, spot, arrow.from.1 + 1);
    let x = spot.x + Spot::WIDTH / 2.0;
    let label = escape(&arrow.label);
    let _ = write!(
        svg,
        "<path class=\"way\" marker-end=\"url(#head)\" d=\"M{x:.0},{:.0} V{:.0}\"/><text class=\"label\" x=\"{:.0}\" y=\"{:.0}\">{label}</text>",
        top + height,
        next - 1.0,
        x + 5.0,
        top + height + 17.0
    );
}

fn draw_run(
    svg: &mut String,
    drawing: &Drawing,
    run: &Run<'_>,
    spots: &[Spot],
    gaps: &[f64],
    (outside, bar): (f64, f64),
    runs: &[Run<'_>],
) {
    let (frame, place) = run.arrow.from;
    let (Some(written), Some(spot)) = (drawing.frames.get(frame), spots.get(frame)) else { return };
    let (left, y) = if run.zero {
        (spot.right(), spot.y + HEAD / 2.0)
    } else {
        let of_block = || runs.iter().filter(|other| !other.zero && other.arrow.from == run.arrow.from);
        let index = of_block().position(|other| std::ptr::eq(other.arrow, run.arrow)).unwrap_or(0);
        let (top, height) = block_spot(written, spot, place);
        (spot.right() - PAD, top + height * (index as f64 + 1.0) / (of_block().count() as f64 + 1.0))
    };
    let label = escape(&run.arrow.label);
    let lane = spot.right() + spot.gutter - PAD - run.lane as f64 * TRACK;
    let low = gaps.get(spot.layer + 1).map_or(0.0, |gap| gap + run.low as f64 * TRACK);
    let mut path = format!("M{left:.0},{y:.0} H{lane:.0} V{low:.0}");
    let class = match run.arrow.to {
        To::Person | To::Next => {
            let _ = write!(path, " H{:.0}", bar - 1.0);
            if run.zero { "way zero" } else { "way to-person" }
        }
        To::Frame(to) => {
            let Some(target) = spots.get(to) else { return };
            let coming = || runs.iter().filter(|other| other.arrow.to == run.arrow.to);
            let index = coming().position(|other| std::ptr::eq(other.arrow, run.arrow)).unwrap_or(0);
            let x = target.x + Spot::WIDTH * (index as f64 + 1.0) / (coming().count() as f64 + 1.0);
            if let Some((high, out)) = run.high {
                let high = gaps.get(target.layer).map_or(0.0, |gap| gap + high as f64 * TRACK);
                let _ = write!(path, " H{:.0} V{high:.0}", outside + out as f64 * TRACK);
            }
            let _ = write!(path, " H{x:.0} V{:.0}", target.y - 1.0);
            "way"
        }
    };
    let _ = write!(
        svg,
        "<path class=\"{class}\" marker-end=\"url(#head)\" d=\"{path}\"/><text class=\"label\" x=\"{:.0}\" y=\"{:.0}\">{label}</text>",
        spot.right() + 3.0,
        y - 3.0
    );
}

fn letter_width(letter: char) -> f64 {
    if u32::from(letter) >= 0x2e80 { WIDE } else { NARROW }
}

fn text_width(text: &str) -> f64 {
    text.chars().map(letter_width).sum()
}

/// Lines no wider than `width`, broken at blanks where there are some; the last ends in … where there are too many.
fn wrap(text: &str, width: f64, lines_max: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut line, mut used) = (String::new(), 0.0);
    let mut put = |word: &str, line: &mut String, used: &mut f64| {
        let needs = text_width(word);
        if *used + needs > width && !line.is_empty() {
            lines.push(std::mem::take(line));
            *used = 0.0;
        }
        if !(line.is_empty() && word == " ") {
            line.push_str(word);
            *used += needs;
        }
    };
    let mut word = String::new();
    for letter in text.chars() {
        let breaks = letter == ' ' || letter_width(letter) == WIDE || text_width(&word) + NARROW > width;
        if breaks {
            put(&std::mem::take(&mut word), &mut line, &mut used);
        }
        match letter == ' ' || letter_width(letter) == WIDE {
            true => put(&letter.to_string(), &mut line, &mut used),
            false => word.push(letter),
        }
    }
    put(&word, &mut line, &mut used);
    if !line.trim().is_empty() {
        lines.push(line);
    }
    if lines.len() > lines_max {
        lines.truncate(lines_max);
        if let Some(last) = lines.last_mut() {
            last.pop();
            last.push('…');
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(zh: &str) -> Block {
        Block { look: Look::Plain, zh: zh.to_owned(), en: "words".to_owned() }
    }

    fn frame(title: &str, blocks: usize) -> Frame {
        let blocks = (0..blocks).map(|place| block(&format!("{title}{place}"))).collect();
        Frame { title: title.to_owned(), blocks, zero: true }
    }

    fn arrow(from: (usize, usize), to: To) -> Arrow {
        Arrow { from, label: "1".to_owned(), to }
    }

    /// The call, a menu with two flows behind it, and a way back from the second to the first.
    fn sample() -> Drawing {
        Drawing {
            frames: vec![frame("a", 2), frame("b", 1), frame("c", 3)],
            arrows: vec![
                arrow((0, 0), To::Next),
                arrow((0, 1), To::Frame(1)),
                arrow((0, 1), To::Frame(2)),
                arrow((2, 0), To::Next),
                arrow((2, 1), To::Frame(0)),
                arrow((2, 2), To::Person),
            ],
            person: Some(block("人工")),
        }
    }

    #[test]
    fn frames_of_a_layer_stand_side_by_side_and_below_those_that_lead_to_them() {
        let drawing = sample();
        let layers = layers(&drawing);
        assert_eq!(layers, [0, 1, 1]);
        let zeros = zeros(&drawing);
        let (runs, tracks, outer) = runs(&drawing, &zeros, &layers, 2);
        assert_eq!(
            (tracks.as_slice(), outer),
            (&[1, 3, 4][..], 1),
            "up again, over the next layer, below the last"
        );
        let (spots, gaps, width) = place(&drawing, &layers, &runs, &tracks);
        assert!(spots[1].y >= spots[0].y + spots[0].height && spots[1].y == spots[2].y);
        assert!(spots[1].right() + spots[1].gutter <= spots[2].x, "with room for arrows between them");
        assert!(spots.iter().all(|spot| spot.x >= 0.0 && spot.right() <= width));
        assert!(gaps[1] > spots[0].y + spots[0].height && gaps[1] < spots[1].y);
    }

    #[test]
    fn a_frame_stands_below_all_that_lead_to_it_and_a_ring_ends_somewhere() {
        let mut drawing = Drawing {
            frames: ["a", "b", "c", "d"].map(|title| frame(title, 1)).into(),
            ..Drawing::default()
        };
        let to = |from, to| arrow((from, 0), To::Frame(to));
        drawing.arrows = vec![to(0, 1), to(0, 3), to(1, 2), to(2, 3)];
        assert_eq!(layers(&drawing), [0, 1, 2, 3], "by the longest way");
        let (runs, ..) = runs(&drawing, &[], &[0, 1, 2, 3], 4);
        assert!(runs[1].high.is_some() && runs[0].high.is_none(), "past two layers, out to the right");
        drawing.arrows = vec![to(0, 1), to(1, 2), to(2, 1), to(2, 3)];
        assert_eq!(layers(&drawing), [0, 1, 2, 3]);
    }

    #[test]
    fn no_two_arrows_lie_on_one_track() {
        let drawing = sample();
        let layers = layers(&drawing);
        let zeros = zeros(&drawing);
        let (runs, ..) = runs(&drawing, &zeros, &layers, 2);
        let mut low: Vec<_> = runs.iter().map(|run| (layers[run.arrow.from.0], run.low)).collect();
        let mut lanes: Vec<_> = runs.iter().map(|run| (run.arrow.from.0, run.lane)).collect();
        for tracks in [&mut low, &mut lanes] {
            let count = tracks.len();
            tracks.sort_unstable();
            tracks.dedup();
            assert_eq!(tracks.len(), count);
        }
    }

    #[test]
    fn the_drawing_is_whole_and_hostile_words_stay_words() {
        let mut drawing = sample();
        drawing.frames[0].title = "<script>".to_owned();
        drawing.frames[0].blocks[0].zh = "</svg><img src=x onerror=\"x\">".to_owned();
        drawing.arrows[1].label = "<b>".to_owned();
        let svg = draw(&drawing);
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>"));
        assert!(!svg.contains("<script>") && !svg.contains("<img") && !svg.contains("<b>"), "{svg}");
        assert_eq!(svg.matches("<path class=").count(), 2 + 4 + 3, "steps, ways, and the key for a person");
        for tag in ["text", "g", "title"] {
            let opened = svg.matches(&format!("<{tag}>")).count() + svg.matches(&format!("<{tag} ")).count();
            assert_eq!(opened, svg.matches(&format!("</{tag}>")).count(), "{tag}");
        }
        assert!(draw(&Drawing::default()).ends_with("</svg>"), "of nothing as well");
    }

    #[test]
    fn words_are_broken_at_blanks_and_between_chinese_letters() {
        assert_eq!(wrap("排队等候工作人员", 48.0, 5), ["排队等候", "工作人员"]);
        assert_eq!(wrap("plays the greeting", 60.0, 5), ["plays ", "the ", "greeting"]);
        assert_eq!(wrap("排队等候工作人员", 24.0, 2), ["排队", "等…"]);
        assert_eq!(wrap("0123456789", 34.0, 9), ["01234", "56789"]);
        assert!(wrap("", 50.0, 3).is_empty());
    }
}

"""The work behind tools/prompts: speaks, computes, seals and checks the files of prompts/.

The manifest prompts.toml says what exists; how a class of speech is paced and how each sound
that is not speech is computed is said here. Running twice gives equal bytes with the same
espeak-ng and sox: nothing depends on dice, dither, the clock or the order of a set.
Installing what is missing is left to tools/prompts.
"""

import array
import hashlib
import math
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import tomllib
import wave

RATE = 8000  # Samples a second.
FRAME = 160  # 20 ms, one RTP packet: made files end on a whole one.
FULL = 32768.0

CLASSES = ("greeting", "transition", "notice", "announcement", "queue", "survey", "fragment",
           "tone", "music", "bench")
UNSPOKEN = ("tone", "music", "bench")
KEYS = ("id", "class", "text", "english", "pinyin", "file", "sha256")

GREETING_MAX_S = 5.0
TOTAL_MAX_BYTES = 6_000_000
PEAK_MAX_DBFS = -1.0  # Above it a file is taken for clipped.
PEAK_MIN_DBFS = -30.0  # Below it nobody would hear it on a street.

# espeak-ng's words a minute. The greeting must fit GREETING_MAX_S; single fragments are said
# slowly, and what tells a caller which key to press or to wait is not hurried.
PACE = {"greeting": 218, "fragment": 130, "announcement": 160, "queue": 155, "survey": 175,
        "transition": 185, "notice": 170}
VOICE = "cmn-latn-pinyin"
SPEECH_DBFS = -20.0  # RMS of the frames in which someone speaks.
SPEECH_CEILING_DBFS = -2.0
SILENT_DBFS = -46.0  # Quieter 5 ms pieces at either end are cut off …
EDGE_S = 0.015  # … but for this much.
FADE_S = 0.004


class Fault(Exception):
    """Something the person at the keyboard has to mend; the text says what."""


# --- levels -----------------------------------------------------------------------------------

def amplitude(dbfs):
    """Decibels relative to full scale (a sine that fills the range has 0) as a factor."""
    return 10.0 ** (dbfs / 20.0)


def decibels(value):
    return 20.0 * math.log10(value) if value > 0 else -math.inf


def rms(samples):
    return math.sqrt(math.fsum(s * s for s in samples) / len(samples)) if samples else 0.0


def speech_rms(samples):
    """RMS over the 20 ms frames within 30 dB of the loudest, so that pauses do not count."""
    levels = [rms(samples[i:i + FRAME]) for i in range(0, len(samples), FRAME)]
    floor = max(levels) * amplitude(-30.0)
    return rms([level for level in levels if level > floor])


def limit(samples, ceiling):
    """Turns down 5 ms around each peak above `ceiling`, smoothly, instead of cutting it off."""
    reach = RATE // 200
    wanted = [min(1.0, ceiling / abs(s)) if s else 1.0 for s in samples]
    padded = [1.0] * (2 * reach) + wanted + [1.0] * (2 * reach)
    lowest = [min(padded[i:i + 2 * reach + 1]) for i in range(len(padded) - 2 * reach)]
    width = 2 * reach + 1
    total = math.fsum(lowest[:width])
    limited = []
    for i, s in enumerate(samples):
        limited.append(s * min(1.0, total / width))
        if i + width < len(lowest):
            total += lowest[i + width] - lowest[i]
    return limited


def level_speech(samples):
    """Brings speech to SPEECH_DBFS under its ceiling; limiting costs loudness, hence the rounds."""
    gain, levelled = 1.0, samples
    for _ in range(4):
        gain *= amplitude(SPEECH_DBFS) / speech_rms(levelled)
        levelled = limit([s * gain for s in samples], amplitude(SPEECH_CEILING_DBFS))
    return levelled


def fade(samples, seconds, start=True, end=True):
    """Raised-cosine ends, so that neither clicks. Changes `samples`."""
    length = min(int(seconds * RATE), len(samples) // 2)
    for i in range(length):
        factor = 0.5 - 0.5 * math.cos(math.pi * (i + 0.5) / length)
        if start:
            samples[i] *= factor
        if end:
            samples[-1 - i] *= factor
    return samples


# --- speech -----------------------------------------------------------------------------------

def run(command):
    done = subprocess.run(command, capture_output=True)
    if done.returncode != 0:
        raise Fault(f"{command[0]} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def trim(samples):
    piece = RATE // 200
    loud = [i for i in range(0, len(samples), piece)
            if rms(samples[i:i + piece]) > amplitude(SILENT_DBFS)]
    if not loud:
        raise Fault("espeak-ng said nothing")
    edge = int(EDGE_S * RATE)
    return samples[max(0, loud[0] - edge):loud[-1] + piece + edge]


def speak(prompt):
    """Reads `pinyin` aloud: samples between -1 and 1 at RATE, levelled, with short silent ends."""
    with tempfile.TemporaryDirectory() as folder:
        spoken = os.path.join(folder, "spoken.wav")
        run(["espeak-ng", "-v", VOICE, "-s", str(PACE[prompt["class"]]), "-w", spoken,
             prompt["pinyin"]])
        # 32 bits out, no dither: rounding to 16 bits comes once, at the end. What lies under
        # 120 Hz no telephone carries; `rate -v` is the steep low-pass before 8 kHz.
        raw = run(["sox", "-D", "-R", spoken, "-t", "raw", "-e", "signed", "-b", "32", "-L",
                   "-c", "1", "-", "gain", "-6", "highpass", "120", "rate", "-v", str(RATE)])
    whole = array.array("i", raw)
    if sys.byteorder == "big":
        whole.byteswap()
    samples = level_speech([s / 2147483648.0 for s in whole])
    samples = fade(trim(samples), FADE_S)
    return samples + [0.0] * (-len(samples) % FRAME)


# --- sounds that are not speech ----------------------------------------------------------------

def sine(hertz, seconds, level):
    return [level * math.sin(2.0 * math.pi * hertz * i / RATE) for i in range(round(seconds * RATE))]


def cadence(on_s, off_s):
    """450 Hz at -10 dBm0 (a sine that fills the range is +3.14 dBm0), as exchanges in China do."""
    return fade(sine(450.0, on_s, amplitude(-13.14)), 0.005) + [0.0] * round(off_s * RATE)


def wrong_key():
    """Two short low tones: heard by a clerk in the middle of a talk, gone before it disturbs."""
    tone = fade(sine(330.0, 0.14, amplitude(-18.0)), 0.01)
    return tone + [0.0] * round(0.06 * RATE) + tone + [0.0] * round(0.06 * RATE)


def watch_waiting():
    """A soft tone every 4 s while nobody talks: the line stands."""
    return fade(sine(420.0, 0.24, amplitude(-24.0)), 0.08) + [0.0] * round(3.76 * RATE)


def bench_tone():
    return sine(1004.0, 1.0, amplitude(-16.0))


def bench_10s():
    """A slow chirp through all ten seconds and a quick one per second, each with its own slope:
    equal slopes would match one another wherever their courses cross.

    Sliding tones only: steady pairs could be taken for a pressed key.
    """
    quick = ((400, 1200), (3200, 2600), (700, 2700), (2900, 1500), (1200, 2400),
             (3300, 900), (1800, 2200), (1900, 900), (600, 3400), (2400, 600))
    length = len(quick) * RATE
    samples, slow_phase, quick_phase = [], 0.0, 0.0
    for i in range(length):
        begins, ends = quick[i // RATE]
        slow_phase += (500.0 + 2500.0 * i / length) / RATE
        quick_phase += (begins + (ends - begins) * (i % RATE) / RATE) / RATE
        samples.append(0.10 * math.sin(2.0 * math.pi * slow_phase)
                       + 0.16 * math.sin(2.0 * math.pi * quick_phase))
    return fade(samples, 0.005)


# (semitones above A4, beats). Eight bars of four beats in D, of the five notes D E F# A B.
MELODY = ((0, 1), (2, .5), (5, .5), (7, 1.5), (5, .5),
          (9, 1), (7, .5), (5, .5), (2, 2),
          (0, .5), (2, .5), (5, 1), (9, 1), (12, 1),
          (14, .5), (12, .5), (9, .5), (7, .5), (7, 2),
          (9, 1.5), (12, .5), (14, 1), (12, 1),
          (9, .5), (7, .5), (5, 1), (7, 1), (2, 1),
          (5, 1), (7, .5), (9, .5), (7, 1), (5, .5), (2, .5),
          (0, 1), (2, .5), (7, .5), (5, 2))
# One broken chord a half bar: root, fifth, octave, fifth in half beats.
ROOTS = (-7, -7, -10, -10, -7, -7, -12, -12, -7, -10, -10, -5, -10, -10, -12, -7)
BEAT_S = 0.75
NOTE_S = 2.6


def pluck(into, begins_s, semitones, level):
    """Adds a soft plucked string; what rings past the end goes on at the beginning."""
    base = 440.0 * 2.0 ** (semitones / 12.0)
    first, length = round(begins_s * RATE), round(NOTE_S * RATE)
    attack, release = RATE // 100, RATE // 5
    for partial in range(1, 6):
        hertz = base * partial * math.sqrt(1.0 + 0.0002 * partial * partial)
        if hertz > 3300.0:
            break
        strength = level / partial ** 1.7
        fall = math.exp(-(0.7 + 0.6 * partial) / (0.9 * RATE))
        turn = 2.0 * math.pi * hertz / RATE
        for i in range(length):
            shape = min(1.0, i / attack, (length - i) / release)
            into[(first + i) % len(into)] += strength * shape * math.sin(turn * i)
            strength *= fall


def hold_music():
    beats = sum(length for _, length in MELODY)
    samples = [0.0] * round(beats * BEAT_S * RATE)
    at = 0.0
    for semitones, length in MELODY:
        pluck(samples, at * BEAT_S, semitones, 1.0)
        at += length
    for half_bar, root in enumerate(ROOTS):
        for step, above in enumerate((0, 7, 12, 7)):
            pluck(samples, (half_bar * 2 + step * 0.5) * BEAT_S, root + above, 0.32)
    delay = round(0.28 * RATE)
    samples = [s + 0.25 * samples[i - delay] for i, s in enumerate(samples)]  # Wraps: -1 is the end.
    factor = amplitude(-12.0) / max(abs(s) for s in samples)
    return [s * factor for s in samples]


SOUNDS = {
    "ringback": lambda: cadence(1.0, 4.0),
    "busy": lambda: cadence(0.35, 0.35),
    "hold_music": hold_music,
    "wrong_key": wrong_key,
    "watch_waiting": watch_waiting,
    "bench_10s": bench_10s,
    "bench_tone": bench_tone,
}


# --- files ------------------------------------------------------------------------------------

def write_wav(path, samples):
    """Writes beside and renames, so that an interrupted run leaves no half file."""
    words = array.array("h", (max(-32768, min(32767, round(s * (FULL - 1)))) for s in samples))
    if sys.byteorder == "big":
        words.byteswap()
    beside = path.with_name(path.name + ".new")
    with wave.open(str(beside), "wb") as out:
        out.setparams((1, 2, RATE, 0, "NONE", ""))
        out.writeframes(words.tobytes())
    os.replace(beside, path)


def read_wav(path):
    """Samples between -1 and 1; a Fault for anything but 8 kHz 16-bit mono PCM."""
    try:
        with wave.open(str(path), "rb") as file:
            shape = (file.getframerate(), file.getsampwidth() * 8, file.getnchannels())
            promised = file.getnframes()
            raw = file.readframes(promised)
    except (OSError, EOFError, wave.Error) as error:
        raise Fault(f"not a readable PCM WAV: {error}") from None
    if shape != (RATE, 16, 1):
        raise Fault(f"is {shape[0]} Hz, {shape[1]} bits, {shape[2]} channels; "
                    f"must be {RATE} Hz, 16 bits, mono")
    if len(raw) != promised * 2:
        raise Fault(f"cut short: {len(raw) // 2} of {promised} samples")
    words = array.array("h", raw)
    if sys.byteorder == "big":
        words.byteswap()
    return [w / FULL for w in words]


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_manifest(folder):
    """The manifest's prompts in order; a Fault where it cannot be worked with."""
    path = folder / "prompts.toml"
    try:
        manifest = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Fault(f"{path}: {error}") from None
    faults = [f"unknown key {key}" for key in manifest if key not in ("schema", "prompt")]
    if manifest.get("schema") != 1:
        faults.append(f"schema is {manifest.get('schema')!r}; must be 1")
    prompts = manifest.get("prompt")
    if not isinstance(prompts, list) or not all(isinstance(p, dict) for p in prompts):
        raise Fault(f"{path}: prompts are written as [[prompt]] tables")
    for number, prompt in enumerate(prompts, 1):
        name = prompt.get("id", f"prompt number {number}")
        faults += [f"{name}: {fault}" for fault in entry_faults(prompt)]
    for key in ("id", "file"):
        values = [p.get(key) for p in prompts]
        faults += [f"{key} {v!r} is used twice" for v in dict.fromkeys(values)
                   if values.count(v) > 1]
    if faults:
        raise Fault("\n".join(f"{path}: {fault}" for fault in faults))
    return prompts


def entry_faults(prompt):
    faults = [f"unknown key {key}" for key in prompt if key not in KEYS]
    spoken = prompt.get("class") not in UNSPOKEN
    for key in KEYS:
        if key == "pinyin" and not spoken:
            if key in prompt:
                faults.append(f"pinyin in class {prompt['class']}, which nobody speaks")
        elif not isinstance(prompt.get(key), str):
            faults.append(f"{key} is missing or no text")
        elif key != "sha256" and not prompt[key].strip():
            faults.append(f"{key} is empty")
    if isinstance(prompt.get("class"), str) and prompt["class"] not in CLASSES:
        faults.append(f"class {prompt['class']!r}; must be one of {', '.join(CLASSES)}")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", str(prompt.get("id", ""))):
        faults.append("id must be of a-z, 0-9 and _")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*\.wav", str(prompt.get("file", ""))):
        faults.append("file must be a plain name ending in .wav")
    return faults


# --- commands ---------------------------------------------------------------------------------

def seal(folder):
    """Writes each file's hash into the manifest line that holds it; every other byte stays."""
    prompts = read_manifest(folder)
    hashes = []
    for prompt in prompts:
        path = folder / prompt["file"]
        if not path.is_file():
            raise Fault(f"{prompt['id']}: no file {path}; make it first")
        hashes.append(sha256(path))
    path = folder / "prompts.toml"
    before = path.read_text(encoding="utf-8")
    entry, lines = -1, []
    for line in before.splitlines(keepends=True):
        if re.match(r"\s*\[\[\s*prompt\s*\]\]", line):
            entry += 1
        elif 0 <= entry < len(hashes):
            line = re.sub(r"""^(\s*sha256\s*=\s*)("[^"]*"|'[^']*')""",
                          lambda found: f'{found[1]}"{hashes[entry]}"', line)
        lines.append(line)
    after = "".join(lines)
    wanted = [p | {"sha256": h} for p, h in zip(prompts, hashes)]
    if tomllib.loads(after)["prompt"] != wanted:  # An unusual way of writing TOML: do no harm.
        raise Fault(f"{path}: write each sha256 = \"\" on a line of its own inside its [[prompt]]")
    if after != before:
        beside = path.with_name(path.name + ".new")
        beside.write_text(after, encoding="utf-8")
        os.replace(beside, path)
    changed = sum(p["sha256"] != h for p, h in zip(prompts, hashes))
    print(f"sealed {len(prompts)} prompts, {changed} changed")


def make(folder, ids):
    prompts = read_manifest(folder)
    known = [p["id"] for p in prompts]
    unknown = [i for i in ids if i not in known]
    if unknown:
        raise Fault(f"no prompt {', '.join(unknown)}; there are {', '.join(known)}")
    for prompt in prompts:
        if ids and prompt["id"] not in ids:
            continue
        try:
            if prompt["class"] not in UNSPOKEN:
                samples = speak(prompt)
            elif prompt["id"] in SOUNDS:
                samples = SOUNDS[prompt["id"]]()
            else:
                raise Fault("tools/prompts.py does not know how to compute it")
        except Fault as fault:
            raise Fault(f"{prompt['id']}: {fault}") from None
        write_wav(folder / prompt["file"], samples)
        print(f"{prompt['id']}: {len(samples) / RATE:.2f} s")
    seal(folder)


def file_faults(path, prompt):
    if not path.is_file():
        return ["no such file"]
    faults = []
    if sha256(path) != prompt["sha256"]:
        faults.append("is not what was sealed: its SHA-256 differs "
                      "(after replacing it on purpose: tools/prompts seal)")
    try:
        samples = read_wav(path)
    except Fault as fault:
        return faults + [str(fault)]
    if not samples:
        return faults + ["holds no sound"]
    seconds = len(samples) / RATE
    if prompt["class"] == "greeting" and seconds > GREETING_MAX_S:
        faults.append(f"lasts {seconds:.2f} s; a greeting may last {GREETING_MAX_S} s")
    peak = decibels(max(abs(s) for s in samples))
    if not PEAK_MIN_DBFS <= peak <= PEAK_MAX_DBFS:
        faults.append(f"peaks at {peak:.1f} dBFS; "
                      f"must be between {PEAK_MIN_DBFS} and {PEAK_MAX_DBFS}")
    return faults


def check(folder):
    prompts = read_manifest(folder)
    faults, heard = [], {}
    for prompt in prompts:
        path = folder / prompt["file"]
        faults += [f"{prompt['id']}: {path}: {fault}" for fault in file_faults(path, prompt)]
        twin = heard.setdefault(prompt["sha256"], prompt["id"])
        if twin != prompt["id"] and prompt["sha256"]:
            faults.append(f"{prompt['id']}: the same sound as {twin}")
    listed = {p["file"] for p in prompts} | {"prompts.toml", "README.md"}
    strangers = sorted(p for p in folder.rglob("*") if str(p.relative_to(folder)) not in listed)
    faults += [f"{path}: no entry in prompts.toml" for path in strangers]
    total = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    if total > TOTAL_MAX_BYTES:
        faults.append(f"{folder}: {total} bytes; at most {TOTAL_MAX_BYTES}")
    if faults:
        raise Fault("\n".join(faults))
    print(f"{len(prompts)} prompts, {total} bytes: all as sealed")


def show(folder):
    for prompt in read_manifest(folder):
        samples = read_wav(folder / prompt["file"])
        peak = max(abs(s) for s in samples)
        level = speech_rms(samples)
        print(f"{prompt['id']:<22}{prompt['class']:<13}{len(samples) / RATE:6.2f} s"
              f"{decibels(peak):8.1f} peak{decibels(level):8.1f} RMS  {prompt['text']}")


def main(arguments):
    folder, command, ids = pathlib.Path(arguments[0]), arguments[1], arguments[2:]
    if ids and command != "make":
        raise Fault(f"{command} takes no further words")
    if command == "make":
        make(folder, ids)
    else:
        {"seal": seal, "check": check, "list": show}[command](folder)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `list | head` ends quietly.
    try:
        main(sys.argv[1:])
    except Fault as problem:
        print("\n".join(f"prompts: {line}" for line in str(problem).splitlines()), file=sys.stderr)
        sys.exit(1)

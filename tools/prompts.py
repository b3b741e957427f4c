"""The sounds of prompts/ that nobody speaks: tones, music, test sounds. Computed, looping without a click.

    tools/prompts.py FOLDER [ID…]

Writes those of the manifest's ids (or of all) that are computed, and prints the others, one a line: speaking and
sealing is the work of `hotline prompts`. Running twice gives equal bytes: nothing depends on dice, the clock or the
order of a set. Called by tools/prompts.
"""

import array
import math
import os
import pathlib
import sys
import tomllib
import wave

RATE = 8000  # Samples a second.
FULL = 32767.0


class Fault(Exception):
    """Something the person at the keyboard has to mend; the text says what."""


def amplitude(dbfs):
    """Decibels relative to full scale (a sine that fills the range has 0) as a factor."""
    return 10.0 ** (dbfs / 20.0)


def fade(samples, seconds):
    """Raised-cosine ends, so that neither clicks. Changes `samples`."""
    length = min(int(seconds * RATE), len(samples) // 2)
    for i in range(length):
        factor = 0.5 - 0.5 * math.cos(math.pi * (i + 0.5) / length)
        samples[i] *= factor
        samples[-1 - i] *= factor
    return samples


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


def tones(*hertz):
    """Two short soft tones, one after the other: all who talk hear nothing else meanwhile."""
    return [s for one in hertz for s in fade(sine(one, 0.1, amplitude(-20.0)), 0.01)]


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
    "join_tone": lambda: tones(440.0, 660.0),
    "leave_tone": lambda: tones(660.0, 440.0),
    "watch_waiting": watch_waiting,
    "bench_10s": bench_10s,
    "bench_tone": bench_tone,
}


def write_wav(path, samples):
    """Writes beside and renames, so that an interrupted run leaves no half file."""
    words = array.array("h", (max(-32768, min(32767, round(s * FULL))) for s in samples))
    if sys.byteorder == "big":
        words.byteswap()
    beside = path.with_name(path.name + ".new")
    with wave.open(str(beside), "wb") as out:
        out.setparams((1, 2, RATE, 0, "NONE", ""))
        out.writeframes(words.tobytes())
    os.replace(beside, path)


def main(folder, ids):
    manifest = tomllib.loads((folder / "prompts.toml").read_text(encoding="utf-8"))
    files = {prompt["id"]: prompt["file"] for prompt in manifest["prompt"]}
    for name in ids or files:
        if name not in SOUNDS:
            print(name)
        elif name in files:
            write_wav(folder / files[name], SOUNDS[name]())
        else:
            raise Fault(f"no prompt {name}; there are {', '.join(files)}")


if __name__ == "__main__":
    try:
        main(pathlib.Path(sys.argv[1]), sys.argv[2:])
    except Fault as problem:
        print(f"prompts: {problem}", file=sys.stderr)
        sys.exit(1)

"""Codecs of other people's, for tests/codecs.rs: stdin to stdout, samples as 16 bit little-endian.

libspandsp for G.711 and G.722; libopus by its C interface.
"""
import ctypes
import struct
import sys


def library(name, package):
    try:
        return ctypes.CDLL(name)
    except OSError as error:
        sys.exit(f"{error}: apt-get install {package}")


def spandsp():
    return library("libspandsp.so.2", "libspandsp2")


def g722(decode, data):
    lib = spandsp()
    init, run = (lib.g722_decode_init, lib.g722_decode) if decode else (lib.g722_encode_init, lib.g722_encode)
    init.restype = ctypes.c_void_p
    init.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
    run.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int]
    state = init(None, 64000, 0)
    count = len(data) if decode else len(data) // 2
    out = ctypes.create_string_buffer(4 * len(data) + 16)
    made = run(state, out, data, count)
    return out.raw[: made * 2 if decode else made]


def g711(law, decode, data):
    # The library's own conversions are inline in its header; its codec object calls them.
    lib = spandsp()
    lib.g711_init.restype = ctypes.c_void_p
    lib.g711_init.argtypes = [ctypes.c_void_p, ctypes.c_int]
    state = lib.g711_init(None, law)
    run = lib.g711_decode if decode else lib.g711_encode
    run.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int]
    count = len(data) if decode else len(data) // 2
    out = ctypes.create_string_buffer(2 * len(data) + 16)
    made = run(state, out, data, count)
    return out.raw[: made * 2 if decode else made]


def opus_encode(data):
    """Frames of 20 ms at 16 kHz to packets, each behind its length."""
    lib = library("libopus.so.0", "libopus0")
    lib.opus_encoder_create.restype = ctypes.c_void_p
    lib.opus_encode.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int32]
    failure = ctypes.c_int()
    state = lib.opus_encoder_create(16000, 1, 2048, ctypes.byref(failure))
    packets = b""
    out = ctypes.create_string_buffer(1275)
    for at in range(0, len(data), 640):
        length = lib.opus_encode(state, data[at : at + 640], 320, out, 1275)
        packets += struct.pack("<H", length) + out.raw[:length]
    return packets


def opus_decode(data):
    lib = library("libopus.so.0", "libopus0")
    lib.opus_decoder_create.restype = ctypes.c_void_p
    lib.opus_decode.argtypes = [
        ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32, ctypes.c_char_p, ctypes.c_int, ctypes.c_int,
    ]
    failure = ctypes.c_int()
    state = lib.opus_decoder_create(16000, 1, ctypes.byref(failure))
    sound = b""
    out = ctypes.create_string_buffer(2 * 1920)
    while data:
        (length,) = struct.unpack_from("<H", data)
        made = lib.opus_decode(state, data[2 : 2 + length], length, out, 1920, 0)
        sound += out.raw[: 2 * made]
        data = data[2 + length :]
    return sound


KINDS = {
    "opus-encode": opus_encode,
    "opus-decode": opus_decode,
    "alaw-decode": lambda data: g711(0, True, data),
    "alaw-encode": lambda data: g711(0, False, data),
    "ulaw-decode": lambda data: g711(1, True, data),
    "ulaw-encode": lambda data: g711(1, False, data),
    "g722-decode": lambda data: g722(True, data),
    "g722-encode": lambda data: g722(False, data),
}

if __name__ == "__main__":
    sys.stdout.buffer.write(KINDS[sys.argv[1]](sys.stdin.buffer.read()))

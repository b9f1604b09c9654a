#!/usr/bin/env python3
"""Writes reference_characters.inc: what the reference (Hugging Face tokenizers 0.23.3) takes every code point for.

The reference's Rust crates hold Unicode data of several old versions (categories of about Unicode 8, canonical ordering of Unicode 9)
beside new ones (lower case, graphemes and regex of today), so no Unicode library agrees with it. Each property is therefore asked of the
package itself, code point by code point, through its public interface.

    python reference_characters.py            writes the file beside this script
    python reference_characters.py --check    compares instead; exit status 1 where the file differs, 77 without tokenizers 0.23.3
"""

import base64
import pathlib
import struct
import sys

try:
    import tokenizers
    from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers
except ImportError:
    tokenizers = None

VERSION = "0.23.3"
OUTPUT = pathlib.Path(__file__).with_suffix(".inc")
CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]

# The bits of text::CharacterClass, in reference_characters.hpp.
DROPPED, WHITESPACE, PUNCTUATION, CHINESE, MARK, NON_STARTER, WORD = (1 << bit for bit in range(7))
LETTER, NUMBER, SPACE, NUMERIC, EXTENDING, PREPENDED, CONTROL, COMBINING, PICTOGRAPH = (
    1 << bit for bit in range(7, 16)
)


def normalizer(**on):
    options = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return normalizers.BertNormalizer(**{**options, **on}).normalize_str


def word_tester():
    """Whether a single_word token beside the character is hidden by it: the regex crate's \\w."""
    tokenizer = Tokenizer(models.WordLevel({"?": 0}, unk_token="?"))
    tokenizer.add_tokens([AddedToken("\ue000", single_word=True, normalized=False)])
    hidden = tokenizer.token_to_id("\ue000")
    return lambda c: hidden not in tokenizer.encode(chr(c) + "\ue000").ids


def matching(pattern):
    """The code points that a regular expression of ByteLevel's kind (Oniguruma) matches."""
    text = "".join(map(chr, CODE_POINTS))
    rest = pre_tokenizers.Split(Regex(pattern), "removed").pre_tokenize_str(text)
    return set(text).difference(*(piece for piece, _ in rest))


def grapheme_counter():
    """How many x a "Precompiled" of which each byte is a key makes of a text: one for a grapheme of at most five bytes, else one a character."""
    units = [0] * 1024
    units[0] = 256 << 10
    for byte in range(1, 256):
        units[256 ^ byte] = 512 << 10 | 1 << 8 | byte
    charsmap = struct.pack("<I1024I", 4096, *units) + b"x\0"
    normalize = normalizers.Precompiled(charsmap).normalize_str
    return lambda text: len(normalize(text))


def classes():
    letters, numbers, spaces = matching(r"\p{L}"), matching(r"\p{N}"), matching(r"\s")
    split_digits, count = pre_tokenizers.Digits(individual_digits=True).pre_tokenize_str, grapheme_counter()
    strip_accents = normalizers.StripAccents().normalize_str
    clean, strip = normalizer(clean_text=True), normalizer(strip_accents=True)
    chinese, decompose = normalizer(handle_chinese_chars=True), normalizers.NFD().normalize_str
    split, is_word = pre_tokenizers.BertPreTokenizer().pre_tokenize_str, word_tester()
    for c in CODE_POINTS:
        s = chr(c)
        bits = 0
        if clean("a" + s + "b") == "ab":
            bits |= DROPPED
        pieces = [piece for piece, _ in split("a" + s + "b")]
        if pieces == ["a", "b"]:
            bits |= WHITESPACE
        elif pieces == ["a", s, "b"]:
            bits |= PUNCTUATION
        if chinese(s) != s:
            bits |= CHINESE
        if strip_accents(s) == "":
            bits |= COMBINING
        if decompose(s) == s:
            if strip(s) == "":
                bits |= MARK
            # Canonical ordering moves it before a mark of the highest class (U+0345, 240) or behind one of the lowest (U+0334, 1).
            if decompose("a\u0345" + s) != "a\u0345" + s or decompose("a" + s + "\u0334") != "a" + s + "\u0334":
                bits |= NON_STARTER
        if c != 0xE000 and is_word(c):
            bits |= WORD
        bits |= LETTER * (s in letters) | NUMBER * (s in numbers) | SPACE * (s in spaces)
        if len(split_digits("a" + s + "a")) == 3:
            bits |= NUMERIC
        if c > 0 and count("a" + s) == 1:
            bits |= EXTENDING
        if c > 0 and count(s + "a") == 1:
            bits |= PREPENDED
        if c == 0 or (c < 0x10000 and count(s + "\u0301") == 2):  # with a further mark the longer ones exceed five bytes
            bits |= CONTROL
        # Behind a pictograph and a joiner it goes on with that grapheme, which is longer than five bytes.
        if c < 0x10000 and not bits & (CONTROL | EXTENDING) and count("\U0001f600\u200d" + s + "\u0301") == 4:
            bits |= PICTOGRAPH
        yield c, bits


def class_runs():
    runs = []
    for c, bits in classes():
        if not runs or runs[-1][1] != bits:
            runs.append((c, bits))
    return runs


def distinct_pages(runs):
    """How many different pages of 256 code points there are."""
    bits = [0] * 0x110000
    for (first, value), (end, _) in zip(runs, [*runs[1:], (0x110000, 0)]):
        bits[first:end] = [value] * (end - first)
    return len({tuple(bits[start : start + 256]) for start in range(0, 0x110000, 256)})


def lower_runs():
    """(first, last, step, difference) of the single-character lower cases; U+0130 alone has two characters and is left out."""
    lower, runs = normalizer(lowercase=True), []
    for c in CODE_POINTS:
        mapped = lower(chr(c))
        if mapped == chr(c):
            continue
        if len(mapped) != 1:
            assert c == 0x130 and mapped == "i\u0307", hex(c)
            continue
        difference = ord(mapped) - c
        if runs:
            first, last, step, previous = runs[-1]
            gap = c - last
            if difference == previous and (gap == step or (first == last and gap <= 2)):
                runs[-1] = (first, c, gap, difference)
                continue
        runs.append((c, c, 1, difference))
    return runs


def decomposing_ranges():
    """Those above U+FFFF: newer Unicode versions add to them."""
    decompose, ranges = normalizers.NFD().normalize_str, []
    for c in CODE_POINTS:
        if c < 0x10000 or decompose(chr(c)) == chr(c):
            continue
        if ranges and ranges[-1][1] == c - 1:
            ranges[-1] = (ranges[-1][0], c)
        else:
            ranges.append((c, c))
    return ranges


def compatible_ranges():
    """Those whose compatibility decomposition differs from the canonical one."""
    canonical, compatible, ranges = normalizers.NFD().normalize_str, normalizers.NFKD().normalize_str, []
    for c in CODE_POINTS:
        if canonical(chr(c)) == compatible(chr(c)):
            continue
        if ranges and ranges[-1][1] == c - 1:
            ranges[-1] = (ranges[-1][0], c)
        else:
            ranges.append((c, c))
    return ranges


def lines(entries):
    line = " "
    for entry in entries:
        if len(line) + len(entry) + 2 > 140:
            yield line
            line = " "
        line += f" {entry},"
    yield line


def text():
    runs, lower, decomposing, compatible = class_runs(), lower_runs(), decomposing_ranges(), compatible_ranges()
    return "\n".join(
        [
            f"// Written by reference_characters.py from Hugging Face tokenizers {VERSION}; not to be edited.",
            "// clang-format off",
            "",
            "// {first code point, class}: the class holds until the next entry.",
            f"constexpr ClassRun class_runs[{len(runs)}] = {{",
            *lines(f"{{0x{c:X},{bits}}}" for c, bits in runs),
            "};",
            f"constexpr std::size_t distinct_pages = {distinct_pages(runs)};  // of 256 code points",
            "",
            "// {first, last, step, difference of the lower case}",
            f"constexpr LowerRun lower_runs[{len(lower)}] = {{",
            *lines(f"{{0x{first:X},0x{last:X},{step},{difference}}}" for first, last, step, difference in lower),
            "};",
            "",
            "// {first, last} of the code points above U+FFFF that decompose",
            f"constexpr Range decomposing_ranges[{len(decomposing)}] = {{",
            *lines(f"{{0x{first:X},0x{last:X}}}" for first, last in decomposing),
            "};",
            "",
            "// {first, last} of the code points whose compatibility decomposition is another than the canonical one",
            f"constexpr Range compatible_ranges[{len(compatible)}] = {{",
            *lines(f"{{0x{first:X},0x{last:X}}}" for first, last in compatible),
            "};",
            "",
        ]
    )


def main():
    if tokenizers is None or tokenizers.__version__ != VERSION:
        print(f"skipped: tokenizers {VERSION} is not installed")
        return 77
    if "--check" in sys.argv[1:]:
        if OUTPUT.read_text() != text():
            print(f"{OUTPUT.name} differs from what tokenizers {VERSION} says: run reference_characters.py")
            return 1
        return 0
    OUTPUT.write_text(text())
    return 0


if __name__ == "__main__":
    sys.exit(main())

#include "sink/escape.h"

#include <gtest/gtest.h>

namespace tcpflight {
namespace {

template <typename Put> std::string result_of(Put put, std::string_view text)
{
    std::string out;
    LineWriter line(out);
    put(line, text);
    line.finish();
    out.pop_back();
    return out;
}

std::string text_of(std::string_view untrusted)
{
    return result_of(put_escaped, untrusted);
}

std::string json_of(std::string_view untrusted)
{
    return result_of(put_json_escaped, untrusted);
}

TEST(TextEscape, PrintableAsciiStays)
{
    EXPECT_EQ(text_of(""), "");
    EXPECT_EQ(text_of("kworker/u8:2 ~\"'"), "kworker/u8:2 ~\"'");
}

TEST(TextEscape, EveryOtherByteIsWrittenOut)
{
    static constexpr std::string_view hex = "0123456789abcdef";
    for (unsigned value = 0; value < 256; value++) {
        const char byte = static_cast<char>(value);
        const bool plain = value >= 0x20 && value <= 0x7e && value != '\\';
        const std::string expected =
            plain ? std::string(1, byte) : std::string("\\x") + hex[value >> 4] + hex[value & 15];
        EXPECT_EQ(text_of(std::string("a") + byte + "b"), "a" + expected + "b");
    }
}

TEST(JsonEscape, PlainTextStays)
{
    EXPECT_EQ(json_of("nginx: worker"), "nginx: worker");
    EXPECT_EQ(json_of("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xa7"), "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xa7");
}

TEST(JsonEscape, QuotesAndControls)
{
    EXPECT_EQ(json_of(R"(a"b\c)"), R"(a\"b\\c)");
    EXPECT_EQ(json_of("\x1b[31m\n\t\x7f"), R"(\u001b[31m\u000a\u0009\u007f)");
    EXPECT_EQ(json_of(std::string_view("\0", 1)), R"(\u0000)");
}

TEST(JsonEscape, WhatReordersOrHidesText)
{
    EXPECT_EQ(json_of("\xe2\x80\xae"), R"(\u202e)"); // right-to-left override
    EXPECT_EQ(json_of("\xe2\x81\xa6"), R"(\u2066)"); // left-to-right isolate
    EXPECT_EQ(json_of("\xe2\x80\x8b"), R"(\u200b)"); // zero width space
    EXPECT_EQ(json_of("\xe2\x80\xa8"), R"(\u2028)"); // line separator
    EXPECT_EQ(json_of("\xd8\x9c"), R"(\u061c)");     // Arabic letter mark
    EXPECT_EQ(json_of("\xc2\x9b"), R"(\u009b)");     // C1: control sequence introducer
    EXPECT_EQ(json_of("\xef\xbb\xbf"), R"(\ufeff)"); // byte order mark
    EXPECT_EQ(json_of("\xf3\xa0\x80\xa0"), R"(\udb40\udc20)");
}

TEST(JsonEscape, EachByteThatIsNotUtf8IsReplaced)
{
    const std::string bad = "\xef\xbf\xbd";
    EXPECT_EQ(json_of("\xff"), bad);
    EXPECT_EQ(json_of("a\x80z"), "a" + bad + "z");
    EXPECT_EQ(json_of("\xc3"), bad);                               // cut in the middle
    EXPECT_EQ(json_of("\xe2\x82"), bad + bad);                     // the same
    EXPECT_EQ(json_of("\xc3("), bad + "(");                        // no continuation
    EXPECT_EQ(json_of("\xc0\x80"), bad + bad);                     // overlong NUL
    EXPECT_EQ(json_of("\xe0\x80\xaf"), bad + bad + bad);           // overlong '/'
    EXPECT_EQ(json_of("\xed\xa0\x80"), bad + bad + bad);           // surrogate
    EXPECT_EQ(json_of("\xf4\x90\x80\x80"), bad + bad + bad + bad); // beyond U+10FFFF
    EXPECT_EQ(json_of("\xf8\x88\x80\x80\x80"), bad + bad + bad + bad + bad);
    EXPECT_EQ(json_of("\xf4\x8f\xbf\xbf"), "\xf4\x8f\xbf\xbf"); // U+10FFFF itself
}

} // namespace
} // namespace tcpflight

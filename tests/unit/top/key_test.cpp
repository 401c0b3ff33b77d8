// Bytes of a terminal as keys, and a line that they edit.
#include "top/key.h"

#include "top/line_editor.h"

#include <gmock/gmock.h>

namespace tcpflight::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using Kind = Key::Kind;

Key letter(char c)
{
    return {.kind = Kind::Char, .letter = c};
}

Key of(Kind kind)
{
    return {.kind = kind};
}

struct KeyCase {
    std::string bytes;
    Kind kind;
};

class Sequences : public testing::TestWithParam<KeyCase> {};

TEST_P(Sequences, AreKeysWholeAndInPieces)
{
    EXPECT_THAT(KeyReader().read(GetParam().bytes), ElementsAre(of(GetParam().kind)));
    KeyReader reader;
    std::vector<Key> keys;
    for (const char byte : GetParam().bytes) {
        for (const auto &key : reader.read({&byte, 1}))
            keys.push_back(key);
    }
    EXPECT_THAT(keys, ElementsAre(of(GetParam().kind)));
    EXPECT_FALSE(reader.is_open());
}

INSTANTIATE_TEST_SUITE_P(Table, Sequences,
                         testing::Values(KeyCase{"\x1b[A", Kind::Up}, KeyCase{"\x1bOB", Kind::Down},
                                         KeyCase{"\x1b[5~", Kind::PageUp}, KeyCase{"\x1b[6~", Kind::PageDown},
                                         KeyCase{"\x1b[H", Kind::Home}, KeyCase{"\x1b[4~", Kind::End},
                                         KeyCase{"\x1b[3~", Kind::Delete}, KeyCase{"\x1bOP", Kind::Help},
                                         KeyCase{"\x1b[[A", Kind::Help}, KeyCase{"\r", Kind::Enter},
                                         KeyCase{"\x7f", Kind::Backspace}, KeyCase{"\x0c", Kind::Redraw}));

TEST(KeyReader, ReadsWhatWasTypedAtOnce)
{
    EXPECT_THAT(KeyReader().read("a\x1b[B\x1b[Bq"),
                ElementsAre(letter('a'), of(Kind::Down), of(Kind::Down), letter('q')));
}

TEST(KeyReader, TakesAnEscapeForTheKeyOnlyIfNothingFollows)
{
    KeyReader reader;
    EXPECT_THAT(reader.read("\x1b"), IsEmpty());
    EXPECT_TRUE(reader.is_open());
    EXPECT_THAT(reader.close(), ElementsAre(of(Kind::Escape)));
    EXPECT_FALSE(reader.is_open());
    EXPECT_THAT(reader.read("\x1bq"), ElementsAre(of(Kind::Escape), letter('q')));
    EXPECT_THAT(reader.read("\x1b["), IsEmpty());
    EXPECT_THAT(reader.close(), IsEmpty()) << "half a sequence is no key";
}

TEST(KeyReader, PassesOverWhatItDoesNotKnow)
{
    KeyReader reader;
    EXPECT_THAT(reader.read("\x1b[1;5Cx\x1b[200~y\x01\xc3\xa4z"),
                ElementsAre(letter('x'), letter('y'), of(Kind::Home), letter('z')));
    EXPECT_THAT(reader.read("\x1b[" + std::string(40, '1')), Not(IsEmpty())) << "no sequence is so long";
    EXPECT_FALSE(reader.is_open());
}

LineEditor typed(const std::string &text, const std::vector<Key> &keys)
{
    LineEditor editor(text);
    for (const auto &key : keys)
        editor.take(key);
    return editor;
}

TEST(LineEditor, Edits)
{
    EXPECT_EQ(typed("port 8", {letter('0')}).text(), "port 80");
    EXPECT_EQ(typed("port 80", {of(Kind::Backspace), of(Kind::Backspace)}).text(), "port ");
    EXPECT_EQ(typed("ort", {of(Kind::Home), letter('p')}).text(), "port");
    EXPECT_EQ(typed("port", {of(Kind::Left), of(Kind::Delete), of(Kind::Delete)}).text(), "por");
    EXPECT_EQ(typed("port 80 ", {of(Kind::EraseWord)}).text(), "port ");
    EXPECT_EQ(typed("port 80", {of(Kind::Left), of(Kind::EraseLine)}).text(), "0");
    EXPECT_EQ(typed("", {of(Kind::Backspace), of(Kind::Left), of(Kind::EraseWord), of(Kind::Right)}).text(), "");
}

TEST(LineEditor, ShowsThePartAroundTheCursor)
{
    const LineEditor editor("0123456789");
    EXPECT_EQ(editor.window(20), std::pair(std::string_view("0123456789"), std::size_t{10}));
    EXPECT_EQ(editor.window(4), std::pair(std::string_view("789"), std::size_t{3}));
    EXPECT_EQ(typed("0123456789", {of(Kind::Home)}).window(4).first, "0123");
}

TEST(LineEditor, IsBounded)
{
    LineEditor editor(std::string(LineEditor::max_size, 'x'));
    editor.take(letter('y'));
    EXPECT_EQ(editor.text().size(), LineEditor::max_size);
}

} // namespace
} // namespace tcpflight::test

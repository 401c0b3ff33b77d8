#include "app/output.h"

#include "model/file_descriptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <future>
#include <string>
#include <thread>

namespace tcpflight::test {
namespace {

struct Pipe {
    FileDescriptor reader;
    FileDescriptor writer;

    Pipe()
    {
        std::array<int, 2> ends{};
        EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
        reader = FileDescriptor(ends[0]);
        writer = FileDescriptor(ends[1]);
    }
};

std::string read_all(int fd)
{
    std::string text;
    std::array<char, 4096> buffer{};
    for (ssize_t size = 0; (size = read(fd, buffer.data(), buffer.size())) > 0;)
        text.append(buffer.data(), static_cast<std::size_t>(size));
    return text;
}

TEST(Output, WritesMoreThanAPipeHolds)
{
    Pipe pipe;
    std::string text(1'000'000, 'x');
    std::string seen;
    std::thread reading([&] { seen = read_all(pipe.reader.get()); });
    Output output(pipe.writer.get(), -1);
    EXPECT_EQ(output.write(text), Output::Outcome::Written);
    EXPECT_EQ(output.unwritten(), 0U);
    pipe.writer = FileDescriptor();
    reading.join();
    EXPECT_EQ(seen, text);
}

TEST(Output, FindsOutThatNobodyReads)
{
    std::signal(SIGPIPE, SIG_IGN);
    Pipe pipe;
    pipe.reader = FileDescriptor();
    Output output(pipe.writer.get(), -1);
    EXPECT_EQ(output.write("text"), Output::Outcome::Closed);
}

TEST(Output, CountsTheLinesThatAreMissing)
{
    std::signal(SIGPIPE, SIG_IGN);
    Pipe pipe;
    Output output(pipe.writer.get(), -1);
    std::string lines = "one\ntwo\n";
    EXPECT_EQ(output.write_lines(lines), Output::Outcome::Written);
    EXPECT_EQ(lines, "");
    EXPECT_EQ(output.lines_missing(), 0U);
    pipe.reader = FileDescriptor();
    lines = "three\nfour\n";
    EXPECT_EQ(output.write_lines(lines), Output::Outcome::Closed);
    EXPECT_EQ(lines, "");
    EXPECT_EQ(output.lines_missing(), 2U);
}

TEST(Output, IsNotStuckBehindAReaderThatDoesNotRead)
{
    Pipe pipe;
    FileDescriptor interrupt(eventfd(1, EFD_CLOEXEC)); // readable from the start
    Output output(pipe.writer.get(), interrupt.get());
    std::string text(1'000'000, 'x');
    EXPECT_EQ(output.write(text), Output::Outcome::Interrupted);
    EXPECT_GT(output.unwritten(), 0U);
    EXPECT_LT(output.unwritten(), text.size());
}

// Ctrl-C while the reader is a moment behind: what was traced still goes out, to the last line.
TEST(Output, FinishesForAReaderThatIsSlow)
{
    Pipe pipe;
    FileDescriptor interrupt(eventfd(1, EFD_CLOEXEC));
    std::string text(1'000'000, 'x');
    std::string seen;
    std::promise<void> full;
    std::thread reading([&] {
        full.get_future().wait();
        seen = read_all(pipe.reader.get());
    });
    Output output(pipe.writer.get(), interrupt.get());
    // Fills the pipe, and finds nobody reading.
    ASSERT_EQ(fcntl(pipe.writer.get(), F_SETFL, O_NONBLOCK), 0);
    std::size_t before = 0;
    for (ssize_t size = 0; (size = write(pipe.writer.get(), text.data(), 4096)) > 0;)
        before += static_cast<std::size_t>(size);
    ASSERT_EQ(fcntl(pipe.writer.get(), F_SETFL, 0), 0);
    full.set_value();
    EXPECT_EQ(output.write(text), Output::Outcome::Written);
    EXPECT_EQ(output.unwritten(), 0U);
    pipe.writer = FileDescriptor();
    reading.join();
    EXPECT_EQ(seen.size(), before + text.size());
}

TEST(Output, NamesAFullDisk)
{
    FileDescriptor full(open("/dev/full", O_WRONLY | O_CLOEXEC));
    ASSERT_TRUE(full.is_open());
    Output output(full.get(), -1);
    EXPECT_EQ(output.write("text"), Output::Outcome::Failed);
    EXPECT_EQ(output.error(), ENOSPC);
}

} // namespace
} // namespace tcpflight::test

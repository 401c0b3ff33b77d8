#include "top/terminal.h"

#include "filter/quote.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace tcpflight {
namespace {

constexpr std::string_view instead = "tcpflight list shows the connections of now, and tcpflight -g all that happens";

// The alternate screen, no line wrap, no cursor; and back.
constexpr std::string_view begin_screen = "\x1b[?1049h";
constexpr std::string_view prepare_screen = "\x1b[?7l\x1b[?25l\x1b[0m\x1b[2J";
constexpr std::string_view end_screen = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";

constexpr std::array fatal_signals{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

// For the handler of fatal signals. NOLINTBEGIN(cppcoreguidelines-avoid-non-const-global-variables)
termios to_restore;
volatile std::sig_atomic_t restore_fd = -1;
// NOLINTEND(cppcoreguidelines-avoid-non-const-global-variables)

// Not to one that takes nothing, behind a line that is down: nobody sees it, and it would hold up the end.
bool takes_output()
{
    constexpr int patience_ms = 1000;
    pollfd state{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
    return poll(&state, 1, patience_ms) == 1 && (state.revents & POLLOUT) != 0;
}

void write_all(std::string_view bytes)
{
    [[maybe_unused]] auto written = write(STDOUT_FILENO, bytes.data(), bytes.size());
}

// Only what signal-safety(7) allows.
void restore_and_die(int number)
{
    if (restore_fd >= 0) {
        write_all(end_screen);
        tcsetattr(restore_fd, TCSANOW, &to_restore);
    }
    std::raise(number); // its action is the default again (SA_RESETHAND)
}

} // namespace

Result<Terminal> Terminal::open()
{
    if (isatty(STDOUT_FILENO) == 0)
        return failure(fmt::format("top: standard output is not a terminal: {}", instead));
    const char *type = std::getenv("TERM");
    if (type == nullptr || *type == '\0' || std::strcmp(type, "dumb") == 0)
        return failure(fmt::format("top: this terminal (TERM={}) has no cursor to move: {}",
                                   quote(type == nullptr ? "" : type), instead));
    Terminal terminal;
    terminal.keys_fd_ = STDIN_FILENO;
    if (isatty(STDIN_FILENO) == 0) {
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg): open(2)
        terminal.opened_ = FileDescriptor(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
        terminal.keys_fd_ = terminal.opened_.get();
    }
    if (terminal.keys_fd_ < 0 || tcgetattr(terminal.keys_fd_, &terminal.before_) != 0)
        return failure(
            fmt::format("top: there is no terminal to read keys from ({}): {}", std::strerror(errno), instead));
    return terminal;
}

Terminal::Terminal(Terminal &&other) noexcept
    : opened_(std::move(other.opened_)), keys_fd_(std::exchange(other.keys_fd_, -1)), before_(other.before_),
      entered_(std::exchange(other.entered_, false))
{
}

void Terminal::enter()
{
    to_restore = before_;
    restore_fd = keys_fd_;
    if (!entered_) {
        struct sigaction action {};
        action.sa_handler = restore_and_die;
        action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
        for (const int number : fatal_signals)
            sigaction(number, &action, nullptr);
    }
    // Key by key and unseen; ^C and ^Z remain signals, and ^S does not stop the tracer.
    auto raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | IEXTEN);
    raw.c_iflag &= ~static_cast<tcflag_t>(IXON);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    tcsetattr(keys_fd_, TCSANOW, &raw);
    if (takes_output()) {
        if (!entered_)
            write_all(begin_screen);
        write_all(prepare_screen);
    }
    entered_ = true;
}

void Terminal::leave()
{
    if (!std::exchange(entered_, false))
        return;
    restore_fd = -1;
    for (const int number : fatal_signals)
        std::signal(number, SIG_DFL);
    if (takes_output())
        write_all(end_screen);
    tcsetattr(keys_fd_, TCSANOW, &before_);
}

ScreenSize Terminal::size() const
{
    winsize size{};
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg): ioctl(2)
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
        return {};
    return {.columns = size.ws_col, .lines = size.ws_row};
}

std::optional<std::string> Terminal::read_keys() const
{
    std::array<char, 4096> buffer; // NOLINT(cppcoreguidelines-pro-type-member-init): read fills it
    const auto size = read(keys_fd_, buffer.data(), buffer.size());
    if (size > 0)
        return std::string(buffer.data(), static_cast<std::size_t>(size));
    if (size < 0 && errno != EAGAIN && errno != EINTR)
        return std::nullopt;
    // With VMIN 0 nothing typed is 0 bytes, too.
    pollfd state{.fd = keys_fd_, .events = POLLIN, .revents = 0};
    if (poll(&state, 1, 0) == 1 && (state.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0)
        return std::nullopt;
    return std::string();
}

} // namespace tcpflight

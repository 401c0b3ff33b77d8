#include "app/info.h"
#include "app/list.h"
#include "app/merge.h"
#include "app/output.h"
#include "app/replay.h"
#include "app/trace.h"
#include "cli/options.h"

#include <fcntl.h>
#include <malloc.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace {

tcpflight::Surroundings look_around()
{
    tcpflight::Surroundings here;
    here.names = &tcpflight::system_names();
    here.stdout_is_terminal = isatty(STDOUT_FILENO) == 1;
    const char *no_color = std::getenv("NO_COLOR"); // https://no-color.org
    here.environment_no_color = no_color != nullptr && *no_color != '\0';
    winsize size{};
    if (here.stdout_is_terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        here.terminal_columns = size.ws_col;
    return here;
}

// A standard descriptor that the caller closed would be given to the next file that is opened. Standard output gets one
// that cannot be written to, so that the user is told.
void fill_closed_descriptors()
{
    for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (fcntl(fd, F_GETFD) < 0)
            open("/dev/null",
                 O_RDONLY); // NOLINT(cppcoreguidelines-pro-type-vararg): the lowest number free, so this one
    }
}

// What is large and temporary goes back to the system. Left to itself, malloc() keeps the place of whatever was freed
// once, up to 32 MiB: at a million connections seven bytes of each were holes that an index had left when it grew.
void return_large_pieces()
{
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
}

int print(const std::string &text)
{
    tcpflight::Output output(STDOUT_FILENO, -1);
    if (output.write(text) != tcpflight::Output::Outcome::Failed)
        return 0;
    std::fprintf(stderr, "tcpflight: cannot write to standard output: %s\n", std::strerror(output.error()));
    return 1;
}

} // namespace

int main(int argc, char **argv)
{
    fill_closed_descriptors();
    return_large_pieces();
    std::signal(SIGPIPE, SIG_IGN); // a closed pipe is found by writing to it
    auto command = tcpflight::parse_command_line(argc, argv, look_around());
    switch (command.kind) {
    case tcpflight::Command::Kind::Print: return print(command.text);
    case tcpflight::Command::Kind::Wrong: std::fprintf(stderr, "%s\n", command.text.c_str()); return 2;
    case tcpflight::Command::Kind::List:
    case tcpflight::Command::Kind::Top:
    case tcpflight::Command::Kind::Info:
    case tcpflight::Command::Kind::Merge:
    case tcpflight::Command::Kind::Run: break;
    }
    if (command.options.utc)
        setenv("TZ", "UTC0", 1); // and nothing else has to know of it
    tzset();
    if (command.kind == tcpflight::Command::Kind::List)
        return tcpflight::list(command.options);
    if (command.kind == tcpflight::Command::Kind::Merge)
        return tcpflight::merge(command.options);
    if (command.kind == tcpflight::Command::Kind::Info)
        return tcpflight::info(command.options);
    return command.options.read ? tcpflight::replay(command.options) : tcpflight::trace(command.options);
}

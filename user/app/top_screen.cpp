#include "app/top_screen.h"

#include "filter/names.h"
#include "model/clock.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <ctime>
#include <numeric>
#include <utility>

namespace tcpflight {
namespace {

// An ESC that begins a sequence is followed by the rest of it within this time, also over a slow line.
constexpr std::uint64_t escape_patience_ns = 100'000'000;
// The first picture shows what was there: the records of that are read by then.
constexpr std::uint64_t first_after_ns = 50'000'000;

std::string host_name()
{
    std::array<char, 256> name{};
    if (gethostname(name.data(), name.size() - 1) != 0)
        return "?";
    return name.data();
}

std::string clock_text()
{
    const auto now = std::time(nullptr);
    tm parts{};
    localtime_r(&now, &parts);
    std::array<char, sizeof("20:28:51")> text{};
    std::strftime(text.data(), text.size(), "%H:%M:%S", &parts);
    return text.data();
}

// On this thread alone, which is the only one.
void raise_unblocked(int number)
{
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, number);
    std::raise(number);
    sigprocmask(SIG_UNBLOCK, &one, nullptr); // it comes now, and the process stops
    sigprocmask(SIG_BLOCK, &one, nullptr);
}

} // namespace

Result<std::unique_ptr<TopScreen>> TopScreen::open(const Options &options)
{
    auto terminal = Terminal::open();
    if (!terminal)
        return tl::unexpected(terminal.error());
    return std::unique_ptr<TopScreen>(new TopScreen(options, std::move(*terminal)));
}

TopScreen::TopScreen(const Options &options, Terminal terminal)
    : options_(*options.top), terminal_(std::move(terminal)), output_(STDOUT_FILENO, -1), board_(options.style),
      screen_({.host = host_name(),
               .filter = options.filter.describe(),
               .delay_ns = options.top->delay_ns,
               .sort = options.top->sort,
               .color = options.style.color,
               .text_column = board_.text_column()},
              system_names(), [this](std::uint64_t connection) { return board_.timeline(connection); })
{
}

void TopScreen::begin(int interrupt_fd)
{
    output_ = Output(STDOUT_FILENO, interrupt_fd);
    terminal_.enter();
    next_ns_ = boot_now_ns() + first_after_ns;
    resize();
}

void TopScreen::end()
{
    terminal_.leave();
    if (!options_.refreshes || !shown_ || pictures_ < *options_.refreshes)
        return;
    // The last line is that of the keys.
    std::string text;
    for (std::size_t i = 0; i + 1 < shown_->lines.size(); i++)
        text += shown_->lines[i] + '\n';
    text.erase(text.find_last_not_of('\n') + 1);
    output_.write(text + '\n');
}

std::uint64_t TopScreen::due_ns() const
{
    return escape_ns_ == 0 ? next_ns_ : std::min(next_ns_, escape_ns_);
}

bool TopScreen::tick(const Pipeline &pipeline)
{
    const auto now_ns = boot_now_ns();
    if (escape_ns_ != 0 && escape_ns_ <= now_ns) {
        escape_ns_ = 0;
        if (!press(keys_.close()))
            return false;
    }
    if (next_ns_ > now_ns)
        return true;
    next_ns_ = now_ns + options_.delay_ns;
    board_.expire(now_ns);
    if (board_.leftovers() > pipeline.known().time_waits())
        board_.forget_leftovers([&](std::uint64_t connection) { return pipeline.known().find(connection) != nullptr; });
    if (!screen_.is_paused())
        screen_.show(take_picture(pipeline, now_ns));
    draw();
    pictures_++;
    return !options_.refreshes || pictures_ < *options_.refreshes;
}

Picture TopScreen::take_picture(const Pipeline &pipeline, std::uint64_t now_ns)
{
    const auto totals = pipeline.totals();
    const auto &counts = board_.counts();
    Picture picture;
    picture.now_ns = now_ns;
    picture.elapsed_ns = last_ns_ == 0 ? 0 : now_ns - last_ns_;
    picture.clock = clock_text();
    picture.rows = board_.rows();
    picture.states = board_.states();
    picture.counts = {.events = counts.events - last_counts_.events,
                      .retransmits = counts.retransmits - last_counts_.retransmits,
                      .resets = counts.resets - last_counts_.resets,
                      .begun = counts.begun - last_counts_.begun,
                      .ended = counts.ended - last_counts_.ended,
                      .ended_unshown = counts.ended_unshown,
                      .unfollowed = counts.unfollowed};
    picture.lost = std::accumulate(totals.lost.begin(), totals.lost.end(), std::uint64_t{0});
    picture.forgotten = totals.forgotten;
    picture.undecided = totals.undecided;
    picture.malformed = totals.malformed;
    last_ns_ = now_ns;
    last_counts_ = counts;
    return picture;
}

bool TopScreen::press(const Pipeline &pipeline)
{
    const auto typed = terminal_.read_keys();
    if (!typed)
        return false;
    const bool was_paused = screen_.is_paused();
    if (!press(keys_.read(*typed)))
        return false;
    escape_ns_ = keys_.is_open() ? boot_now_ns() + escape_patience_ns : 0;
    if (was_paused && !screen_.is_paused()) {
        screen_.show(take_picture(pipeline, boot_now_ns()));
        draw();
    }
    return true;
}

bool TopScreen::press(const std::vector<Key> &keys)
{
    for (const auto &key : keys) {
        if (key.kind == Key::Kind::Redraw)
            shown_.reset();
        else if (!screen_.press(key))
            return false;
    }
    if (!keys.empty())
        draw();
    return true;
}

void TopScreen::resize()
{
    screen_.resize(terminal_.size());
    shown_.reset();
    draw();
}

void TopScreen::suspend()
{
    terminal_.leave();
    raise_unblocked(SIGTSTP);
    restore();
}

void TopScreen::restore()
{
    terminal_.enter();
    resize(); // the window may be another one
}

void TopScreen::say(const std::string &message)
{
    screen_.say(message);
    draw();
}

void TopScreen::draw()
{
    auto next = screen_.draw();
    const auto bytes = redraw(shown_ ? &*shown_ : nullptr, next);
    shown_ = std::move(next);
    if (!bytes.empty())
        output_.write(bytes);
}

} // namespace tcpflight

// `tcpflight top`: the live screen of a tracer. It shows what the pipeline tells its board; the tracer's loop tells it
// of keys, signals and time.
#pragma once

#include "app/output.h"
#include "app/pipeline.h"
#include "cli/options.h"
#include "model/result.h"
#include "top/board.h"
#include "top/screen.h"
#include "top/terminal.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace tcpflight {

class TopScreen {
public:
    // Looks whether there is a terminal, and changes nothing of it yet. `options` outlive it.
    static Result<std::unique_ptr<TopScreen>> open(const Options &options);

    // Where the pipeline's events go.
    [[nodiscard]] Board &board() { return board_; }
    [[nodiscard]] int keys_fd() const { return terminal_.keys_fd(); }

    // While the terminal takes nothing, `interrupt_fd` becoming readable ends the wait (Output).
    void begin(int interrupt_fd);
    // The terminal is as before, until begin(). At the end, with `refreshes`, the last picture stays on it.
    void end();

    // CLOCK_BOOTTIME: when tick() has something to do.
    [[nodiscard]] std::uint64_t due_ns() const;
    // False: as many pictures were shown as are wanted.
    bool tick(const Pipeline &pipeline);
    // False: the user wants to quit, or the terminal is gone.
    bool press(const Pipeline &pipeline);
    void resize();
    // Stops the process, as ^Z does it, and returns when it goes on.
    void suspend();
    // Somebody else may have written to the terminal meanwhile.
    void restore();
    // In the screen's last line.
    void say(const std::string &message);

private:
    TopScreen(const Options &options, Terminal terminal);

    Picture take_picture(const Pipeline &pipeline, std::uint64_t now_ns);
    bool press(const std::vector<Key> &keys);
    void draw();

    const TopOptions &options_;
    Terminal terminal_;
    Output output_;
    Board board_;
    Screen screen_;
    KeyReader keys_;
    std::optional<Frame> shown_;  // none: nobody knows what the terminal shows
    std::uint64_t next_ns_ = 0;   // the next picture
    std::uint64_t escape_ns_ = 0; // then an ESC was the key itself; 0: none is waiting
    std::uint64_t last_ns_ = 0;   // of the last picture; 0: there was none
    BoardCounts last_counts_;
    std::uint64_t pictures_ = 0;
};

} // namespace tcpflight

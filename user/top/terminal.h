// The terminal itself: keys as they are typed, and a screen of its own (the alternate one), until it is closed. However
// the process ends, short of SIGKILL, the terminal is as before.
#pragma once

#include "model/file_descriptor.h"
#include "model/result.h"
#include "top/frame.h"

#include <termios.h>

#include <optional>
#include <string>
#include <string_view>

namespace tcpflight {

class Terminal {
public:
    // Standard output must be a terminal; keys come from standard input or, where that is none, from the controlling
    // terminal. Nothing of it is changed yet. Errors are a whole sentence.
    static Result<Terminal> open();

    Terminal(Terminal &&other) noexcept;
    Terminal &operator=(Terminal &&) = delete;
    Terminal(const Terminal &) = delete;
    Terminal &operator=(const Terminal &) = delete;
    ~Terminal() { leave(); }

    // May be repeated: after a SIGCONT nobody knows what happened to the terminal meanwhile. One at a time.
    void enter();
    void leave();

    [[nodiscard]] int keys_fd() const { return keys_fd_; }
    [[nodiscard]] ScreenSize size() const;
    // What was typed; waits for nothing. None: the terminal is gone.
    [[nodiscard]] std::optional<std::string> read_keys() const;

private:
    Terminal() = default;

    FileDescriptor opened_; // of the controlling terminal
    int keys_fd_ = -1;
    termios before_{};
    bool entered_ = false;
};

} // namespace tcpflight

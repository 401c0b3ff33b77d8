// What libbpf and the verifier have to say: kept, not printed. It is for -v -v, behind one sentence for the user.
#pragma once

#include <string>

namespace tcpflight {

// Collects while it lives; one at a time.
class LibbpfLog {
public:
    LibbpfLog();
    ~LibbpfLog();
    LibbpfLog(const LibbpfLog &) = delete;
    LibbpfLog &operator=(const LibbpfLog &) = delete;

    [[nodiscard]] const std::string &text() const { return text_; }

private:
    std::string text_;
};

} // namespace tcpflight

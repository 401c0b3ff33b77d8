// What comes through a pipe, where it must be read in another order than it comes.
#pragma once

#include "model/result.h"
#include "recording/disk.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace tcpflight {

// An input of which the begin was looked at: it is read as if nobody had.
class LookedInto : public InputFile {
public:
    explicit LookedInto(std::unique_ptr<InputFile> input) : input_(std::move(input)) {}

    // The first bytes, at most `size`; fewer only if there are no more. May wait. An error is that of the input.
    IoResult<std::span<const std::byte>> look(std::size_t size);

    IoResult<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override;
    [[nodiscard]] bool is_seekable() const override { return input_->is_seekable(); }
    [[nodiscard]] int awaited_fd() const override { return input_->awaited_fd(); }
    [[nodiscard]] std::uint64_t size() const override { return input_->size(); }

private:
    std::unique_ptr<InputFile> input_;
    std::string begin_;
};

// All that comes until the end, in a file without a name that is gone when it is closed: in $TMPDIR, or in /tmp.
// `name`: for messages.
Result<std::unique_ptr<InputFile>> spool(InputFile &input, const std::string &name);

} // namespace tcpflight

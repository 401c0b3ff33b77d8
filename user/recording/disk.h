// The files of a recording, behind a seam: the tests have a disk in memory that can be full, fail, and lose its power.
// Errors are errno values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <tl/expected.hpp>

namespace tcpflight {

template <typename T> using IoResult = tl::expected<T, int>;

// Written at its end only. Closed by its destructor.
class OutputFile {
public:
    OutputFile() = default;
    OutputFile(const OutputFile &) = delete;
    OutputFile &operator=(const OutputFile &) = delete;
    virtual ~OutputFile() = default;

    // All or nothing: what an error left behind is cut off again, except from a pipe.
    virtual IoResult<void> append(std::span<const std::byte> bytes) = 0;
    // Starts to bring what was written onto the medium, and does not wait for it (fdatasync(2) in the background). The
    // error is that of an earlier one.
    virtual IoResult<void> sync() = 0;
};

class InputFile {
public:
    InputFile() = default;
    InputFile(const InputFile &) = delete;
    InputFile &operator=(const InputFile &) = delete;
    virtual ~InputFile() = default;

    // How many bytes there were, at most `out.size()`; 0: none there now. From a pipe, where is_seekable() is false,
    // `offset` is where the last read ended, and the call waits for at least one byte or the end.
    virtual IoResult<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) = 0;
    [[nodiscard]] virtual bool is_seekable() const = 0;
    // The descriptor that is readable when read_at() would not wait; -1: it never waits.
    [[nodiscard]] virtual int awaited_fd() const { return -1; }
    // Bytes now; 0 if it is not seekable.
    [[nodiscard]] virtual std::uint64_t size() const = 0;
};

// What create() may replace.
enum class Replace : std::uint8_t { Nothing, Recordings, Anything };

class Disk {
public:
    Disk() = default;
    Disk(const Disk &) = delete;
    Disk &operator=(const Disk &) = delete;
    virtual ~Disk() = default;

    // Opens it empty, mode 0600, for nobody else to write. EEXIST: there is a file that may not be replaced. An empty
    // file, a pipe and a device count as recordings. The file that is replaced keeps its name until this succeeds.
    virtual IoResult<std::unique_ptr<OutputFile>> create(const std::string &path, Replace replace) = 0;
    virtual IoResult<std::unique_ptr<InputFile>> open(const std::string &path) = 0;
    virtual IoResult<void> remove(const std::string &path) = 0;
};

// The real one; lives as long as the program.
Disk &real_disk();

// Descriptors that stay the caller's: standard output and input.
std::unique_ptr<OutputFile> output_to(int fd);
std::unique_ptr<InputFile> input_from(int fd);

} // namespace tcpflight

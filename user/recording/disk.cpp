#include "recording/disk.h"

#include "recording/format.h"
#include "recording/merged_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

namespace tcpflight {
namespace {

tl::unexpected<int> failed()
{
    return tl::unexpected<int>(errno);
}

// fdatasync takes as long as the disk likes, and records do not wait: so it has a thread. It outlives the file, should
// it be in the middle of it, and the program does not wait for it either.
class Syncer {
public:
    explicit Syncer(int fd) : state_(std::make_shared<State>())
    {
        state_->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        std::thread([state = state_] { state->run(); }).detach();
    }
    Syncer(const Syncer &) = delete;
    Syncer &operator=(const Syncer &) = delete;
    ~Syncer()
    {
        state_->tell([](State &state) { state.ended = true; });
    }

    void start()
    {
        state_->tell([](State &state) { state.wanted = true; });
    }
    [[nodiscard]] int take_error()
    {
        std::lock_guard lock(state_->mutex);
        return std::exchange(state_->error, 0);
    }

private:
    struct State {
        std::mutex mutex;
        std::condition_variable changed;
        int fd = -1;
        bool wanted = false;
        bool ended = false;
        int error = 0;

        template <typename Change> void tell(Change &&change)
        {
            {
                std::lock_guard lock(mutex);
                change(*this);
            }
            changed.notify_one();
        }

        void run()
        {
            std::unique_lock lock(mutex);
            for (;;) {
                changed.wait(lock, [this] { return wanted || ended; });
                if (!wanted)
                    break;
                wanted = false;
                lock.unlock();
                // EINVAL and EROFS: what is written to cannot be synchronized.
                int result = fdatasync(fd) == 0 || errno == EINVAL || errno == EROFS ? 0 : errno;
                lock.lock();
                error = result != 0 ? result : error;
            }
            close(fd);
        }
    };

    std::shared_ptr<State> state_;
};

class RealOutput : public OutputFile {
public:
    RealOutput(int fd, bool owned) : fd_(fd), owned_(owned)
    {
        struct stat status {};
        regular_ = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
        bool appending = (fcntl(fd, F_GETFL) & O_APPEND) != 0;
        end_ = appending ? status.st_size : lseek(fd, 0, SEEK_CUR);
    }
    RealOutput(const RealOutput &) = delete;
    RealOutput &operator=(const RealOutput &) = delete;
    ~RealOutput() override
    {
        if (owned_)
            close(fd_);
    }

    IoResult<void> append(std::span<const std::byte> bytes) override
    {
        auto size = static_cast<off_t>(bytes.size());
        while (!bytes.empty()) {
            auto written = write(fd_, bytes.data(), bytes.size());
            if (written >= 0) {
                bytes = bytes.subspan(static_cast<std::size_t>(written));
            } else if (errno == EAGAIN) {
                pollfd room{.fd = fd_, .events = POLLOUT, .revents = 0};
                poll(&room, 1, -1);
            } else if (errno != EINTR) {
                auto error = failed();
                cut_back();
                return error;
            }
        }
        end_ += size;
        return {};
    }

    IoResult<void> sync() override
    {
        if (!regular_)
            return {};
        if (!syncer_)
            syncer_ = std::make_unique<Syncer>(fd_);
        syncer_->start();
        if (int error = syncer_->take_error(); error != 0)
            return tl::unexpected<int>(error);
        return {};
    }

private:
    // Should this fail as well, readers find the next block by its mark.
    void cut_back() const
    {
        if (!regular_ || ftruncate(fd_, end_) != 0)
            return;
        lseek(fd_, end_, SEEK_SET);
    }

    int fd_;
    bool owned_;
    bool regular_ = false;
    off_t end_ = 0;
    std::unique_ptr<Syncer> syncer_;
};

class RealInput : public InputFile {
public:
    RealInput(int fd, bool owned) : fd_(fd), owned_(owned)
    {
        struct stat status {};
        // Standard input may stand in the middle of a file.
        seekable_ = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && lseek(fd, 0, SEEK_CUR) == 0;
    }
    RealInput(const RealInput &) = delete;
    RealInput &operator=(const RealInput &) = delete;
    ~RealInput() override
    {
        if (owned_)
            close(fd_);
    }

    IoResult<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override
    {
        for (;;) {
            // Without a writer yet, a named pipe would read as if it had ended.
            pollfd news{.fd = fd_, .events = POLLIN, .revents = 0};
            if (!seekable_ && poll(&news, 1, -1) < 0 && errno == EINTR)
                continue;
            auto count = seekable_ ? pread(fd_, out.data(), out.size(), static_cast<off_t>(offset))
                                   : read(fd_, out.data(), out.size());
            if (count >= 0)
                return static_cast<std::size_t>(count);
            if (errno != EAGAIN && errno != EINTR)
                return failed();
        }
    }
    [[nodiscard]] bool is_seekable() const override { return seekable_; }
    [[nodiscard]] int awaited_fd() const override { return seekable_ ? -1 : fd_; }
    [[nodiscard]] std::uint64_t size() const override
    {
        struct stat status {};
        return seekable_ && fstat(fd_, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
    }

private:
    int fd_;
    bool owned_;
    bool seekable_ = false;
};

// May a file that is there be written over? Leaves it empty if so.
IoResult<void> clear(int fd, Replace replace)
{
    struct stat status {};
    if (fstat(fd, &status) != 0)
        return failed();
    if (!S_ISREG(status.st_mode))
        return {};
    if (replace == Replace::Recordings && status.st_size != 0) {
        std::array<char, FileHeader::file_magic.size()> magic{};
        if (pread(fd, magic.data(), magic.size(), 0) < 0)
            return failed();
        if (magic != FileHeader::file_magic && magic != merged_magic)
            return tl::unexpected<int>(EEXIST);
    }
    if (ftruncate(fd, 0) != 0 || fchmod(fd, S_IRUSR | S_IWUSR) != 0)
        return failed();
    return {};
}

class RealDisk : public Disk {
public:
    IoResult<std::unique_ptr<OutputFile>> create(const std::string &path, Replace replace) override
    {
        int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
        if (fd >= 0)
            return std::make_unique<RealOutput>(fd, true);
        if (errno != EEXIST || replace == Replace::Nothing)
            return failed();
        struct stat status {};
        if (stat(path.c_str(), &status) != 0)
            return failed();
        // Opened for reading too, a pipe would not wait for its reader.
        fd = ::open(path.c_str(), (S_ISREG(status.st_mode) ? O_RDWR : O_WRONLY) | O_CLOEXEC);
        if (fd < 0)
            return failed();
        auto file = std::make_unique<RealOutput>(fd, true);
        if (auto cleared = clear(fd, replace); !cleared)
            return tl::unexpected(cleared.error());
        return file;
    }

    IoResult<std::unique_ptr<InputFile>> open(const std::string &path) override
    {
        // A named pipe's writer is awaited in reading, where signals are looked at.
        int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0)
            return failed();
        return std::make_unique<RealInput>(fd, true);
    }

    IoResult<void> remove(const std::string &path) override
    {
        if (unlink(path.c_str()) != 0)
            return failed();
        return {};
    }
};

} // namespace

Disk &real_disk()
{
    static RealDisk disk;
    return disk;
}

std::unique_ptr<OutputFile> output_to(int fd)
{
    return std::make_unique<RealOutput>(fd, false);
}

std::unique_ptr<InputFile> input_from(int fd)
{
    return std::make_unique<RealInput>(fd, false);
}

} // namespace tcpflight

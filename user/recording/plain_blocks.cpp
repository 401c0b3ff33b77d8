#include "recording/plain_blocks.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace tcpflight {
namespace {

enum class Tag : std::uint16_t {
    Program = 1,
    Host = 2,
    Kernel = 3,
    BootId = 4,
    Filter = 5,
    Hooks = 6,
    RecordingId = 7,
    FileNumber = 8,
    Clock = 9,
};

struct Text {
    Tag tag;
    std::string StartInfo::*text;
};
constexpr std::array texts{
    Text{Tag::Program, &StartInfo::program}, Text{Tag::Host, &StartInfo::host},
    Text{Tag::Kernel, &StartInfo::kernel},   Text{Tag::BootId, &StartInfo::boot_id},
    Text{Tag::Filter, &StartInfo::filter},   Text{Tag::Hooks, &StartInfo::hooks},
};

static_assert(sizeof(ClockAnchor) == 16 && sizeof(IndexItem) == 32);
static_assert(sizeof(KnownGaps::Told) == 16);

void put_item(ByteBuffer &out, Tag tag, std::span<const std::byte> bytes)
{
    out.put(static_cast<std::uint16_t>(tag));
    out.put(std::uint16_t{0});
    out.put(static_cast<std::uint32_t>(bytes.size()));
    out.append(bytes);
}

// Takes values off the front; remembers if one was not there.
class Taker {
public:
    explicit Taker(std::span<const std::byte> bytes) : bytes_(bytes) {}

    template <typename T> T take()
    {
        T value{};
        if (auto bytes = take(sizeof(T)); !bytes.empty())
            std::memcpy(&value, bytes.data(), sizeof(T));
        return value;
    }
    std::span<const std::byte> take(std::size_t size)
    {
        sound_ &= size <= bytes_.size();
        if (!sound_)
            return {};
        auto taken = bytes_.first(size);
        bytes_ = bytes_.subspan(size);
        return taken;
    }

    [[nodiscard]] bool is_sound() const { return sound_; }
    [[nodiscard]] std::size_t left() const { return sound_ ? bytes_.size() : 0; }

private:
    std::span<const std::byte> bytes_;
    bool sound_ = true;
};

void get_item(Tag tag, std::span<const std::byte> bytes, StartInfo &start)
{
    Taker taker(bytes);
    if (const auto *text = std::ranges::find(texts, tag, &Text::tag); text != texts.end())
        (start.*text->text).assign(reinterpret_cast<const char *>(bytes.data()), bytes.size());
    else if (tag == Tag::RecordingId)
        start.recording_id = taker.take<decltype(start.recording_id)>();
    else if (tag == Tag::FileNumber)
        start.file_number = taker.take<std::uint32_t>();
    else if (tag == Tag::Clock)
        start.clock = taker.take<ClockAnchor>();
}

} // namespace

void put_start(const StartInfo &start, ByteBuffer &out)
{
    for (const auto &text : texts)
        put_item(out, text.tag, std::as_bytes(std::span(start.*text.text)));
    put_item(out, Tag::RecordingId, std::as_bytes(std::span(start.recording_id)));
    put_item(out, Tag::FileNumber, std::as_bytes(std::span(&start.file_number, 1)));
    put_item(out, Tag::Clock, std::as_bytes(std::span(&start.clock, 1)));
}

std::optional<StartInfo> get_start(std::span<const std::byte> payload)
{
    StartInfo start;
    Taker taker(payload);
    while (taker.left() != 0) {
        auto tag = taker.take<std::uint16_t>();
        taker.take<std::uint16_t>();
        auto bytes = taker.take(taker.take<std::uint32_t>());
        if (taker.is_sound())
            get_item(static_cast<Tag>(tag), bytes, start);
    }
    if (!taker.is_sound())
        return std::nullopt;
    return start;
}

void put_clock(const ClockAnchor &clock, ByteBuffer &out)
{
    out.put(clock);
}

std::optional<ClockAnchor> get_clock(std::span<const std::byte> payload)
{
    Taker taker(payload);
    auto clock = taker.take<ClockAnchor>();
    if (!taker.is_sound())
        return std::nullopt;
    return clock;
}

void put_entry(const ClockAnchor &clock, const KnownGaps &gaps, std::span<const KnownCgroup> cgroups, ByteBuffer &out)
{
    out.put(clock);
    out.put(gaps.until_ns);
    out.put(gaps.count);
    out.put(static_cast<std::uint32_t>(gaps.told.size()));
    for (const auto &told : gaps.told)
        out.put(told);
    out.put(static_cast<std::uint32_t>(cgroups.size()));
    for (const auto &cgroup : cgroups) {
        out.put(cgroup.key.id);
        out.put(cgroup.key.hierarchy);
        out.put(static_cast<std::uint32_t>(cgroup.path.size()));
        out.append(std::as_bytes(std::span(cgroup.path)));
    }
}

std::optional<EntryInfo> get_entry(std::span<const std::byte> payload)
{
    EntryInfo entry;
    Taker taker(payload);
    entry.clock = taker.take<ClockAnchor>();
    entry.gaps.until_ns = taker.take<std::uint64_t>();
    entry.gaps.count = taker.take<std::uint32_t>();
    auto told = taker.take<std::uint32_t>();
    if (!taker.is_sound() || told > taker.left() / sizeof(KnownGaps::Told))
        return std::nullopt;
    for (std::uint32_t i = 0; i < told; i++)
        entry.gaps.told.push_back(taker.take<KnownGaps::Told>());
    const auto cgroups = taker.left() != 0 ? taker.take<std::uint32_t>() : 0; // older ones end before
    for (std::uint32_t i = 0; i < cgroups && taker.is_sound(); i++) {
        KnownCgroup cgroup;
        cgroup.key.id = taker.take<std::uint64_t>();
        cgroup.key.hierarchy = taker.take<std::uint32_t>();
        const auto path = taker.take(taker.take<std::uint32_t>());
        cgroup.path.assign(reinterpret_cast<const char *>(path.data()), path.size());
        entry.cgroups.push_back(std::move(cgroup));
    }
    if (!taker.is_sound())
        return std::nullopt;
    return entry;
}

void put_index(std::span<const IndexItem> index, ByteBuffer &out)
{
    out.append(std::as_bytes(index));
}

std::optional<std::vector<IndexItem>> get_index(std::span<const std::byte> payload)
{
    if (payload.size() % sizeof(IndexItem) != 0)
        return std::nullopt;
    std::vector<IndexItem> index(payload.size() / sizeof(IndexItem));
    if (!index.empty())
        std::memcpy(index.data(), payload.data(), payload.size());
    return index;
}

} // namespace tcpflight

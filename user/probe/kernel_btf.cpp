#include "probe/kernel_btf.h"

#include "model/file_descriptor.h"

#include <bpf/btf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

namespace tcpflight {
namespace {

constexpr auto path = "/sys/kernel/btf/vmlinux";

// What stands behind a type, by kind; none: a kind that is not known, so that its size is not.
std::optional<std::size_t> tail_bytes(const btf_type &type)
{
    const auto entries = btf_vlen(&type);
    switch (btf_kind(&type)) {
    case BTF_KIND_INT:
    case BTF_KIND_VAR:
    case BTF_KIND_DECL_TAG: return sizeof(std::uint32_t);
    case BTF_KIND_ARRAY: return sizeof(struct btf_array);
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION: return entries * sizeof(btf_member);
    case BTF_KIND_ENUM: return entries * sizeof(struct btf_enum);
    case BTF_KIND_ENUM64: return entries * sizeof(struct btf_enum64);
    case BTF_KIND_FUNC_PROTO: return entries * sizeof(btf_param);
    case BTF_KIND_DATASEC: return entries * sizeof(btf_var_secinfo);
    case BTF_KIND_PTR:
    case BTF_KIND_FWD:
    case BTF_KIND_TYPEDEF:
    case BTF_KIND_VOLATILE:
    case BTF_KIND_CONST:
    case BTF_KIND_RESTRICT:
    case BTF_KIND_FUNC:
    case BTF_KIND_FLOAT:
    case BTF_KIND_TYPE_TAG: return 0;
    default: return std::nullopt;
    }
}

constexpr std::uint64_t odd = 0x9e3779b97f4a7c15; // 2^64 divided by the golden ratio

std::size_t hash(std::string_view name)
{
    std::uint64_t sum = name.size();
    for (; name.size() >= sizeof(sum); name.remove_prefix(sizeof(sum))) {
        std::uint64_t word = 0;
        std::memcpy(&word, name.data(), sizeof(word));
        sum = std::rotl((sum ^ word) * odd, 29);
    }
    std::uint64_t word = 0;
    std::memcpy(&word, name.data(), name.size());
    return ((sum ^ word) * odd) >> 32;
}

// A number for the first eight characters, up to a '\0'.
std::uint32_t begin_of(std::span<const char> text)
{
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), std::min(text.size(), sizeof(word)));
    constexpr std::uint64_t ones = 0x0101010101010101;
    constexpr std::uint64_t high_bits = 0x8080808080808080;
    // The lowest bit that is left is in the first byte that is 0.
    if (const auto zeros = (word - ones) & ~word & high_bits; zeros != 0)
        word &= (zeros & -zeros) - 1;
    return static_cast<std::uint32_t>((word * odd) >> 32);
}

Result<std::vector<std::byte>> read_all(int file)
{
    std::vector<std::byte> bytes;
    struct stat status {};
    if (fstat(file, &status) != 0)
        return failure(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
    bytes.resize(static_cast<std::size_t>(status.st_size));
    std::size_t size = 0;
    while (size < bytes.size()) {
        const auto got = read(file, bytes.data() + size, bytes.size() - size);
        if (got < 0)
            return failure(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
        if (got == 0)
            break;
        size += static_cast<std::size_t>(got);
    }
    bytes.resize(size);
    return bytes;
}

// Since Linux 6.16 (kernel/bpf/sysfs_btf.c). Empty: it cannot be mapped.
std::span<const std::byte> map_all(int file)
{
    struct stat status {};
    if (fstat(file, &status) != 0 || status.st_size <= 0)
        return {};
    const auto size = static_cast<std::size_t>(status.st_size);
    void *data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
    if (data == MAP_FAILED)
        return {};
    return {static_cast<const std::byte *>(data), size};
}

} // namespace

KernelBtf::KernelBtf(KernelBtf &&other) noexcept
{
    *this = std::move(other);
}

KernelBtf &KernelBtf::operator=(KernelBtf &&other) noexcept
{
    read_.swap(other.read_);
    std::swap(mapped_, other.mapped_);
    std::swap(types_, other.types_);
    std::swap(strings_, other.strings_);
    offsets_.swap(other.offsets_);
    names_.swap(other.names_);
    functions_.swap(other.functions_);
    return *this;
}

KernelBtf::~KernelBtf()
{
    if (!mapped_.empty())
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
        munmap(const_cast<std::byte *>(mapped_.data()), mapped_.size());
}

Result<KernelBtf> KernelBtf::load()
{
    const FileDescriptor file(open(path, O_RDONLY | O_CLOEXEC)); // NOLINT(cppcoreguidelines-pro-type-vararg)
    if (!file.is_open() && errno == ENOENT)
        return failure(
            fmt::format("this kernel does not describe its types ({} is missing): tcpflight needs Linux 5.12 "
                        "or later built with CONFIG_DEBUG_INFO_BTF=y, as distributions do",
                        path));
    if (!file.is_open())
        return failure(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
    const auto mapped = map_all(file.get());
    std::vector<std::byte> bytes;
    if (mapped.empty()) {
        auto read = read_all(file.get());
        if (!read)
            return tl::unexpected(read.error());
        bytes = std::move(*read);
    }
    auto types = parse(mapped.empty() ? bytes : mapped);
    if (!types) {
        if (!mapped.empty())
            // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
            munmap(const_cast<std::byte *>(mapped.data()), mapped.size());
        return failure(fmt::format("cannot understand {}", path));
    }
    types->read_ = std::move(bytes);
    types->mapped_ = mapped;
    return std::move(*types);
}

std::optional<KernelBtf> KernelBtf::parse(std::span<const std::byte> bytes)
{
    btf_header header{};
    if (bytes.size() < sizeof(header))
        return std::nullopt;
    std::memcpy(&header, bytes.data(), sizeof(header));
    if (header.magic != BTF_MAGIC || header.hdr_len < sizeof(header) || header.hdr_len > bytes.size())
        return std::nullopt;
    const auto rest = bytes.subspan(header.hdr_len);
    const auto is_inside = [&](std::uint64_t offset, std::uint64_t size) { return offset + size <= rest.size(); };
    if (!is_inside(header.type_off, header.type_len) || !is_inside(header.str_off, header.str_len) ||
        header.str_len == 0 || header.type_off % alignof(btf_type) != 0)
        return std::nullopt;
    KernelBtf types;
    types.types_ = rest.subspan(header.type_off, header.type_len);
    const auto strings = rest.subspan(header.str_off, header.str_len);
    types.strings_ = {reinterpret_cast<const char *>(strings.data()), strings.size()};
    if (types.strings_.back() != '\0' || !types.index())
        return std::nullopt;
    return types;
}

bool KernelBtf::index()
{
    // A type takes twelve bytes at least; half of the places stay free.
    constexpr std::size_t common_size = 24;
    offsets_.reserve(types_.size() / common_size);
    for (std::size_t offset = 0; offset < types_.size();) {
        if (types_.size() - offset < sizeof(btf_type))
            return false;
        const auto &type = *reinterpret_cast<const btf_type *>(types_.data() + offset);
        const auto tail = tail_bytes(type);
        if (!tail || *tail > types_.size() - offset - sizeof(btf_type) || type.name_off >= strings_.size())
            return false;
        offsets_.push_back(static_cast<std::uint32_t>(offset));
        offset += sizeof(btf_type) + *tail;
    }
    index_names();
    return true;
}

void KernelBtf::index_names()
{
    std::vector<std::uint32_t> others;
    functions_.reserve(offsets_.size() / 2);
    for (unsigned id = 1; id <= offsets_.size(); id++) {
        const auto *named = type(id);
        if (named->name_off == 0)
            continue;
        if (btf_is_func(named))
            functions_.push_back({.begin = begin_of(strings_.subspan(named->name_off)), .id = id});
        else
            others.push_back(id);
    }
    names_.resize(std::bit_ceil(2 * others.size() + 2));
    for (auto id : others)
        add_name(id, name(type(id)->name_off));
}

void KernelBtf::add_name(unsigned id, std::string_view name)
{
    auto place = hash(name) & (names_.size() - 1);
    while (names_[place] != 0)
        place = (place + 1) & (names_.size() - 1);
    names_[place] = id;
}

std::vector<unsigned> KernelBtf::named(std::string_view wanted) const
{
    std::vector<unsigned> found;
    for (auto place = hash(wanted) & (names_.size() - 1); names_[place] != 0;
         place = (place + 1) & (names_.size() - 1)) {
        if (name(type(names_[place])->name_off) == wanted)
            found.push_back(names_[place]);
    }
    return found;
}

const btf_type *KernelBtf::type(unsigned id) const
{
    if (id == 0 || id > offsets_.size())
        return nullptr;
    return reinterpret_cast<const btf_type *>(types_.data() + offsets_[id - 1]);
}

std::string_view KernelBtf::name(unsigned offset) const
{
    return offset < strings_.size() ? std::string_view(&strings_[offset]) : std::string_view();
}

unsigned KernelBtf::find(std::string_view wanted, unsigned kind) const
{
    for (auto id : named(wanted)) {
        if (btf_kind(type(id)) == kind)
            return id;
    }
    return 0;
}

unsigned KernelBtf::tracepoint_id(std::string_view tracepoint) const
{
    return find(fmt::format("btf_trace_{}", tracepoint), BTF_KIND_TYPEDEF);
}

// A raw tracepoint NAME is described by the type `btf_trace_NAME`: a pointer to a function of (context, arguments...).
unsigned KernelBtf::tracepoint_arguments(std::string_view tracepoint) const
{
    const auto *found = type(tracepoint_id(tracepoint));
    for (int depth = 0; found != nullptr && depth < 4; depth++) {
        if (btf_is_func_proto(found))
            return btf_vlen(found) > 0 ? btf_vlen(found) - 1U : 0U;
        found = type(found->type);
    }
    return 0;
}

unsigned KernelBtf::function_id(std::string_view function) const
{
    const auto begin = begin_of(function);
    for (const auto &[its_begin, id] : functions_) {
        if (its_begin == begin && name(type(id)->name_off) == function)
            return id;
    }
    return 0;
}

std::optional<unsigned> KernelBtf::function_arguments(std::string_view function) const
{
    const auto *found = type(function_id(function));
    const auto *prototype = found != nullptr ? type(found->type) : nullptr;
    if (prototype == nullptr)
        return std::nullopt;
    return btf_vlen(prototype);
}

unsigned KernelBtf::struct_id(std::string_view name) const
{
    return find(name, BTF_KIND_STRUCT);
}

std::vector<std::pair<std::string_view, std::uint64_t>> KernelBtf::enumerators(std::string_view wanted) const
{
    std::vector<std::pair<std::string_view, std::uint64_t>> found;
    const auto *type = this->type(find(wanted, BTF_KIND_ENUM));
    if (type == nullptr)
        return found;
    for (const auto &value : std::span(btf_enum(type), btf_vlen(type)))
        found.emplace_back(name(value.name_off), static_cast<std::uint64_t>(value.val));
    return found;
}

} // namespace tcpflight

#include "probe/needed_types.h"

#include <bpf/btf.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace tcpflight {
namespace {

// Functions have their names too.
using Array = struct btf_array;
using Enumerator = struct btf_enum;
using Enumerator64 = struct btf_enum64;

// What libbpf calls a name's essence: bpf_core_essential_name_len().
std::string_view essence(std::string_view name)
{
    return name.substr(0, name.find("___"));
}

bool is_relocated(const btf_type &type)
{
    return btf_is_composite(&type) || btf_is_any_enum(&type) || btf_is_typedef(&type);
}

// Is it of another type, by value?
bool wraps(const btf_type &type)
{
    return btf_is_mod(&type) || btf_is_typedef(&type) || btf_is_type_tag(&type);
}

class Selection {
public:
    Selection(const KernelBtf &kernel, const btf &programs) : kernel_(kernel)
    {
        for (unsigned id = 1; id < btf__type_cnt(&programs); id++) {
            const auto *type = btf__type_by_id(&programs, id);
            if (!btf_is_composite(type))
                continue;
            for (const auto &member : std::span(btf_members(type), btf_vlen(type)))
                members_.insert(btf__name_by_offset(&programs, member.name_off));
        }
        for (unsigned id = 1; id < btf__type_cnt(&programs); id++) {
            const auto *type = btf__type_by_id(&programs, id);
            if (is_relocated(*type) && type->name_off != 0)
                want_named(essence(btf__name_by_offset(&programs, type->name_off)));
        }
        // What a type is made of comes behind it, until there is nothing more.
        // NOLINTNEXTLINE(modernize-loop-convert): it grows
        for (std::size_t i = 0; i < wanted_.size(); i++)
            want_parts(*kernel_.type(wanted_[i]));
    }

    std::vector<std::byte> bytes()
    {
        for (auto id : wanted_)
            add(*kernel_.type(id));
        const auto types_size = static_cast<std::uint32_t>(types_.size() * sizeof(std::uint32_t));
        const auto strings_size = static_cast<std::uint32_t>(strings_.size());
        const btf_header header{.magic = BTF_MAGIC,
                                .version = BTF_VERSION,
                                .flags = 0,
                                .hdr_len = sizeof(btf_header),
                                .type_off = 0,
                                .type_len = types_size,
                                .str_off = types_size,
                                .str_len = strings_size};
        std::vector<std::byte> all(sizeof(header) + types_size + strings_size);
        std::memcpy(all.data(), &header, sizeof(header));
        std::memcpy(all.data() + sizeof(header), types_.data(), types_size);
        std::memcpy(all.data() + sizeof(header) + types_size, strings_.data(), strings_size);
        return all;
    }

private:
    void want_named(std::string_view name)
    {
        for (auto id : kernel_.named(name)) {
            if (is_relocated(*kernel_.type(id)))
                want(id);
        }
    }

    void want(unsigned id)
    {
        const auto *type = kernel_.type(id);
        if (type == nullptr || btf_is_func_proto(type) || new_ids_.contains(id))
            return;
        wanted_.push_back(id);
        new_ids_.emplace(id, wanted_.size());
    }

    void want_parts(const btf_type &type)
    {
        if (wraps(type))
            want(type.type);
        if (btf_is_array(&type)) {
            want(btf_array(&type)->type);
            want(btf_array(&type)->index_type);
        }
        if (btf_is_composite(&type)) {
            for (const auto &member : members_of(type))
                want(member.type);
        }
    }

    // Those without a name are structs and unions whose members count as the outer one's.
    std::vector<btf_member> members_of(const btf_type &type) const
    {
        std::vector<btf_member> some;
        for (const auto &member : std::span(btf_members(&type), btf_vlen(&type))) {
            if (member.name_off == 0 || members_.contains(kernel_.name(member.name_off)))
                some.push_back(member);
        }
        return some;
    }

    // 0 is void's.
    std::uint32_t new_id(std::uint32_t id) const
    {
        const auto found = new_ids_.find(id);
        return found != new_ids_.end() ? found->second : 0;
    }

    std::uint32_t new_name(std::uint32_t offset)
    {
        if (offset == 0)
            return 0;
        const auto [place, is_new] = new_names_.emplace(offset, strings_.size());
        if (is_new)
            strings_.append(kernel_.name(offset)).push_back('\0');
        return place->second;
    }

    // With its names and what it refers to as they are numbered here.
    void add(const btf_type &type)
    {
        auto head = type;
        head.name_off = new_name(type.name_off);
        if (btf_is_ptr(&type))
            head.type = 0;
        if (wraps(type))
            head.type = new_id(type.type);
        if (btf_is_composite(&type)) {
            add_composite(head, members_of(type));
            return;
        }
        put(head);
        if (btf_is_int(&type))
            put(*reinterpret_cast<const std::uint32_t *>(&type + 1));
        if (btf_is_array(&type))
            put(Array{.type = new_id(btf_array(&type)->type),
                      .index_type = new_id(btf_array(&type)->index_type),
                      .nelems = btf_array(&type)->nelems});
        if (btf_is_enum(&type))
            add_values(std::span<const Enumerator>(btf_enum(&type), btf_vlen(&type)));
        if (btf_is_enum64(&type))
            add_values(std::span<const Enumerator64>(btf_enum64(&type), btf_vlen(&type)));
    }

    void add_composite(btf_type head, const std::vector<btf_member> &members)
    {
        constexpr std::uint32_t count_mask = 0xffff; // BTF_INFO_VLEN
        head.info = (head.info & ~count_mask) | static_cast<std::uint32_t>(members.size());
        put(head);
        for (auto member : members) {
            member.name_off = new_name(member.name_off);
            member.type = new_id(member.type);
            put(member);
        }
    }

    template <typename Value> void add_values(std::span<const Value> values)
    {
        for (auto value : values) {
            value.name_off = new_name(value.name_off);
            put(value);
        }
    }

    template <typename T> void put(const T &part)
    {
        constexpr std::size_t word_bytes = 4;
        static_assert(sizeof(T) % word_bytes == 0);
        const auto size = types_.size();
        types_.resize(size + sizeof(T) / word_bytes);
        std::memcpy(&types_[size], &part, sizeof(part));
    }

    const KernelBtf &kernel_;
    std::unordered_set<std::string_view> members_;
    std::vector<unsigned> wanted_; // the kernel's ids, in the order of ours, which begin with 1
    std::unordered_map<std::uint32_t, std::uint32_t> new_ids_;
    std::unordered_map<std::uint32_t, std::uint32_t> new_names_; // offsets
    std::vector<std::uint32_t> types_;
    std::string strings_ = std::string(1, '\0');
};

} // namespace

std::vector<std::byte> needed_types(const KernelBtf &kernel, const btf &programs)
{
    return Selection(kernel, programs).bytes();
}

} // namespace tcpflight

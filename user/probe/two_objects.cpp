#include "probe/two_objects.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <programs.skel.h>

#include <cerrno>
#include <cstddef>

namespace tcpflight {
namespace {

constexpr auto when_possible = std::launch::async | std::launch::deferred;

int use_maps(bpf_object &object, const bpf_object &made)
{
    bpf_map *map = nullptr;
    bpf_object__for_each_map(map, &object)
    {
        const auto *same = bpf_object__find_map_by_name(&made, bpf_map__name(map));
        if (same == nullptr)
            return -ENOENT;
        if (int error = bpf_map__reuse_fd(map, bpf_map__fd(same)); error != 0)
            return error;
    }
    return 0;
}

} // namespace

void TwoObjects::Close::operator()(programs *object) const
{
    programs::destroy(object);
}

void TwoObjects::Close::operator()(bpf_object *object) const
{
    bpf_object__close(object);
}

TwoObjects::TwoObjects(const ToldTypes &told) : opening_(std::async(when_possible, open, told.path())) {}

TwoObjects::Opened TwoObjects::open(const char *types)
{
    Opened opened;
    LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "programs", .btf_custom_path = types);
    opened.first.reset(programs::open(&options));
    std::size_t size = 0;
    const void *bytes = programs::elf_bytes(&size);
    if (opened.first)
        opened.second.reset(bpf_object__open_mem(bytes, size, &options));
    if (!opened.second) {
        opened.error = errno;
        return opened;
    }
    bpf_program *program = nullptr;
    bpf_object__for_each_program(program, opened.second.get())
    {
        bpf_program__set_autoload(program, false);
    }
    return opened;
}

int TwoObjects::wait_until_open()
{
    opened_ = opening_.get();
    return opened_.error;
}

bpf_program *TwoObjects::move_to_second(bpf_program *program) const
{
    auto *copy = bpf_object__find_program_by_name(opened_.second.get(), bpf_program__name(program));
    bpf_program__set_autoload(copy, true);
    bpf_program__set_autoload(program, false);
    return copy;
}

int TwoObjects::load(ToldTypes &told) const
{
    std::promise<bool> maps;
    bool exist = false;
    auto loading = std::async(when_possible, [this, made = maps.get_future()]() mutable {
        if (!made.get())
            return 0;
        const int error = use_maps(second(), *first().obj);
        return error != 0 ? error : bpf_object__load(&second());
    });
    told.when_maps_exist([&] {
        exist = true;
        maps.set_value(true);
    });
    const int error = programs::load(&first());
    if (!exist)
        maps.set_value(false);
    const int other = loading.get();
    return -(error != 0 ? error : other);
}

} // namespace tcpflight

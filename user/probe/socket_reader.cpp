#include "probe/socket_reader.h"

#include "model/clock.h"
#include "probe/libbpf_log.h"
#include "probe/load_error.h"
#include "probe/lockdown.h"
#include "probe/privileges.h"
#include "probe/told_types.h"

#include <bpf/libbpf.h>
#include <programs.skel.h>

#include <cerrno>
#include <memory>

namespace tcpflight {
namespace {

struct Destroy {
    void operator()(programs *skeleton) const { programs::destroy(skeleton); }
};

// Everything that the tracer alone has a use for would cost time to load.
void keep_iterators_only(programs &skeleton)
{
    auto *object = skeleton.obj;
    const auto &wanted = skeleton.progs;
    bpf_program *program = nullptr;
    bpf_object__for_each_program(program, object)
    {
        bool used =
            program == wanted.find_sockets || program == wanted.find_holders || program == wanted.find_inhabitants;
        bpf_program__set_autoload(program, used);
    }
    for (auto *map : {skeleton.maps.ring, skeleton.maps.stages, skeleton.maps.filter_program})
        bpf_map__set_autocreate(map, false);
}

} // namespace

Result<Snapshot> read_sockets_now(bool metrics)
{
    if (auto allowed = check_privileges("listing sockets"); !allowed)
        return tl::unexpected(allowed.error());
    LibbpfLog log;
    auto types = KernelBtf::load();
    if (!types)
        return tl::unexpected(types.error());
    ToldTypes told;
    LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = told.path());
    std::unique_ptr<programs, Destroy> skeleton(programs::open(&options));
    if (!skeleton)
        return load_error("open", errno, log);
    keep_iterators_only(*skeleton);
    skeleton->rodata->jiffy_us = jiffy_us();
    skeleton->rodata->metrics_everywhere = metrics;
    skeleton->rodata->may_probe_read = lockdown_mode() != "confidentiality";
    if (auto filled = told.fill(*types, *skeleton->obj); !filled)
        return tl::unexpected(filled.error());
    if (int error = programs::load(skeleton.get()); error != 0)
        return load_error("load", -error, log);
    auto iterators = SocketIterators::attach(*skeleton);
    if (!iterators)
        return tl::unexpected(iterators.error());
    return take_snapshot(*iterators);
}

} // namespace tcpflight

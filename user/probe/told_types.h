// What libbpf would look for among the kernel's types, told instead (docs/decisions/0026-a-quick-start.md).
#pragma once

#include "model/file_descriptor.h"
#include "probe/kernel_btf.h"

#include <functional>
#include <string>

struct bpf_object;

namespace tcpflight {

// Programs are opened with path(), then fill() is called, then they are loaded; all while it lives. One at a time, but
// its programs may be spread over several objects.
class ToldTypes {
public:
    ToldTypes();
    ToldTypes(const ToldTypes &) = delete;
    ToldTypes &operator=(const ToldTypes &) = delete;
    ~ToldTypes();

    // For bpf_object_open_opts::btf_custom_path. nullptr: no file can be made; then libbpf looks for itself.
    [[nodiscard]] const char *path() const { return path_.empty() ? nullptr : path_.c_str(); }

    // What the programs that are to be loaded need. `kernel` need not stay.
    Result<void> fill(const KernelBtf &kernel, const bpf_object &object);
    // The same for programs of a copy of that object.
    void fill_copy(const KernelBtf &kernel, const bpf_object &object);

    // Is called once, by the load, between the maps and the first typed program.
    void when_maps_exist(std::function<void()> call);

private:
    FileDescriptor file_; // in memory, without a name
    std::string path_;
};

} // namespace tcpflight

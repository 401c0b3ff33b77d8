# shellcheck shell=bash
# What the scripts in this folder share. Sourced, never run.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# Made and filled by these scripts; anything in it can be deleted.
build="$root/build"
readonly root build

# To the user: one sentence on stderr; stdout belongs to what the scripts run.
say()
{
    printf 'tcpflight: %s\n' "$*" >&2
}

die()
{
    say "$*"
    exit 1
}

# What is built belongs to whoever cloned, also when root runs the script: a later build without sudo must not stumble
# over root's files. Prefix a command with "${as_owner[@]}" to run it as that user; empty where there is nothing to
# change, or where that user cannot reach the clone (an unpacked archive in root's home).
as_owner=()
owner=$(stat -c %u:%g "$root")
if ((EUID == 0)) && [[ $owner != 0:* ]]; then
    drop=(setpriv --reuid="${owner%:*}" --regid="${owner#*:}" --clear-groups env -u HOME)
    if "${drop[@]}" test -w "$root"; then
        as_owner=("${drop[@]}")
    fi
    unset drop
fi

# Gives what root wrote in the build folder (test logs, a build from before) back to the owner of the clone.
give_back_build()
{
    if ((${#as_owner[@]})) && [[ -d $build ]]; then
        # -h: never through a symbolic link.
        chown -hR --from=0 "$owner" "$build"
    fi
}

# Formatting and findings differ between versions of LLVM's tools. The tree is kept to this one.
readonly llvm_version=14

# llvm_tool NAME: the command of that version; fails where it is not installed.
llvm_tool()
{
    if command -v "$1-$llvm_version"; then
        return
    fi
    [[ $("$1" --version 2>/dev/null) == *"version $llvm_version."* ]] && command -v "$1"
}

# llvm_tool_package NAME: the Debian package to install for it. The unversioned one where that has the right version.
llvm_tool_package()
{
    if [[ $(dpkg-query -W -f='${Version}' "$1" 2>/dev/null) == 1:$llvm_version.* ]]; then
        echo "$1"
    else
        echo "$1-$llvm_version"
    fi
}

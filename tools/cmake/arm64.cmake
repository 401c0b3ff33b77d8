# A toolchain file: builds for arm64 on another machine, with Debian's cross compiler (g++-aarch64-linux-gnu) and the
# libraries of arm64's packages, unpacked into the folder TCPFLIGHT_SYSROOT (docs/development.md).
if(NOT TCPFLIGHT_SYSROOT)
  message(FATAL_ERROR "give the folder with arm64's libraries: -DTCPFLIGHT_SYSROOT=FOLDER")
endif()
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES TCPFLIGHT_SYSROOT)

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
if(NOT CMAKE_CXX_COMPILER)
  set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
endif()
# The compiler knows its own C library; from there come all others.
set(CMAKE_FIND_ROOT_PATH "${TCPFLIGHT_SYSROOT}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
foreach(kind LIBRARY INCLUDE PACKAGE)
  set(CMAKE_FIND_ROOT_PATH_MODE_${kind} ONLY)
endforeach()
set(ENV{PKG_CONFIG_LIBDIR} "${TCPFLIGHT_SYSROOT}/usr/lib/aarch64-linux-gnu/pkgconfig:${TCPFLIGHT_SYSROOT}/usr/share/pkgconfig")
set(ENV{PKG_CONFIG_SYSROOT_DIR} "${TCPFLIGHT_SYSROOT}")
# What is built does not run here.
set(CMAKE_GTEST_DISCOVER_TESTS_DISCOVERY_MODE PRE_TEST)

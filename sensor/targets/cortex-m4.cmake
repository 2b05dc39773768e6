# cmake -S sensor -B build/m4 -G Ninja --toolchain $PWD/sensor/targets/cortex-m4.cmake
set(GWS_CPU "-mcpu=cortex-m4 -mfloat-abi=soft")
include(${CMAKE_CURRENT_LIST_DIR}/cortex-m.cmake)

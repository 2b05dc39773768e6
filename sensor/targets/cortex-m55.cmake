# cmake -S sensor -B build/m55 -G Ninja --toolchain $PWD/sensor/targets/cortex-m55.cmake
set(GWS_CPU "-mcpu=cortex-m55 -mfloat-abi=hard")
set(GWS_OPTIMISE -O2)
include(${CMAKE_CURRENT_LIST_DIR}/cortex-m.cmake)

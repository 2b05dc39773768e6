godwit_test(sensor/sensor_test.cc godwit::sensor godwit::image)
godwit_test(sensor/sensor_packets_test.cc godwit::sensor godwit::image godwit::io)
godwit_test(sensor/packet_loss_test.cc godwit::sensor godwit::image godwit::io)
target_compile_definitions(packet_loss_test PRIVATE GODWIT_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
# What a firmware leaves out: ranges of steps and inputs, a bit each.
foreach(choice 4x1 2x2 6x6)
  string(REPLACE x ";" bits ${choice})
  list(GET bits 0 ranges)
  list(GET bits 1 inputs)
  get_target_property(sources godwit_sensor SOURCES)
  list(TRANSFORM sources PREPEND ${PROJECT_SOURCE_DIR}/sensor/)
  add_executable(sensor_choices_${choice} sensor/sensor_choices_test.cc ${sources})
  target_include_directories(sensor_choices_${choice} PRIVATE ${PROJECT_SOURCE_DIR}/sensor/include
                             ${PROJECT_SOURCE_DIR}/sensor/src)
  target_compile_definitions(sensor_choices_${choice} PRIVATE GWS_STEP_RANGES=${ranges} GWS_INPUTS=${inputs})
  target_link_libraries(sensor_choices_${choice} PRIVATE godwit::image GTest::gtest_main godwit_flags)
  gtest_discover_tests(sensor_choices_${choice} TEST_PREFIX ${choice}. DISCOVERY_TIMEOUT 60)
endforeach()
# The generated tables are those of the shipped model.
add_test(NAME SensorTables.AreThoseOfTheShippedModel
         COMMAND sh -c "$<TARGET_FILE:make_tables> | cmp - ${PROJECT_SOURCE_DIR}/sensor/src/gws_tables.c")
# Two frames of YUYV become two files; a piece of one is an error.
add_test(NAME SensorExample.FramesOfYuyvBecomePictures
         COMMAND sh -c "head -c 12288 /dev/zero | $<TARGET_FILE:yuyv_to_gdw> 64 48 50 example && \
$<TARGET_FILE:godwit> verify example-0000.gdw example-0001.gdw && ! test -e example-0002.gdw && \
! (head -c 6000 /dev/zero | $<TARGET_FILE:yuyv_to_gdw> 64 48 50 example)"
         WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})

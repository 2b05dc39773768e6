godwit_test(sensor/sensor_test.cc godwit::sensor godwit::image)
godwit_test(sensor/sensor_packets_test.cc godwit::sensor godwit::image godwit::io)
godwit_test(sensor/packet_loss_test.cc godwit::sensor godwit::image godwit::io)
target_compile_definitions(packet_loss_test PRIVATE GODWIT_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
# The generated tables are those of the shipped model.
add_test(NAME SensorTables.AreThoseOfTheShippedModel
         COMMAND sh -c "$<TARGET_FILE:make_tables> | cmp - ${PROJECT_SOURCE_DIR}/sensor/src/gws_tables.c")
# Two frames of YUYV become two files; a piece of one is an error.
add_test(NAME SensorExample.FramesOfYuyvBecomePictures
         COMMAND sh -c "head -c 12288 /dev/zero | $<TARGET_FILE:yuyv_to_gdw> 64 48 50 example && \
$<TARGET_FILE:godwit> verify example-0000.gdw example-0001.gdw && ! test -e example-0002.gdw && \
! (head -c 6000 /dev/zero | $<TARGET_FILE:yuyv_to_gdw> 64 48 50 example)"
         WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})

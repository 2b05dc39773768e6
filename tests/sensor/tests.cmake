godwit_test(sensor/sensor_test.cc godwit::sensor godwit::image)
# The generated tables are those of the shipped model.
add_test(NAME SensorTables.AreThoseOfTheShippedModel
         COMMAND sh -c "$<TARGET_FILE:make_tables> | cmp - ${PROJECT_SOURCE_DIR}/sensor/src/gws_tables.c")

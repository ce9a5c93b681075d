"""What suites of tests leave, JUnit XML or metrics in JSON, as measurements with definitions."""

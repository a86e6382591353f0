"""Every cloud call there is."""

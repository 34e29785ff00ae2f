package tuplespaces

// The events of event_example are tuples ("temp", seq, Sensor, temperature).
const (
	// Sensor measures the temperatures.
	Sensor = "sensor123"
	// High is the temperature above which subscribers warn, in degrees.
	High = 30
)

"""The Power Platform's own APIs: environments, connections, connectors, data policies, and the hub where connections are used."""

"""Make a backend the selected one where it takes effect for a target: `keras-doctor use`."""

# A network to compare learning rules with: one parameter is the rule.
#
#     onward train programs/learning/rules.sp --data MNIST
#     onward train programs/learning/rules.sp --data MNIST --set 'rule=softmax { temperature = 0.1 }'

network rules {
    parameter rule  = hinge
    parameter block = 128

    epochs = 3
    window = 8

    input  pixels = rate(28, 28)
    target class  = classes(10)

    learning = rule

    layer hidden1 = dense(256) from pixels, class { block = block }
    layer hidden2 = dense(256) from hidden1       { block = block }

    readout answer = nearest_target from hidden2
}

package fakeslack_test

import (
	"context"
	"fmt"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"unconnected/alerter/slack/fakeslack"
)

// An app posts a message with a button; a person clicks on it; the app edits the message.
func Example() {
	server, err := fakeslack.Start(fakeslack.Options{})
	if err != nil {
		panic(err)
	}
	defer server.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	api := slack.New(fakeslack.DefaultToken, slack.OptionAPIURL(server.APIURL()), slack.OptionAppLevelToken(fakeslack.DefaultAppToken))
	button := slack.NewButtonBlockElement("ack", "incident-1", slack.NewTextBlockObject(slack.PlainTextType, "Acknowledge", false, false))
	channel, ts, err := api.PostMessageContext(ctx, "#noc", slack.MsgOptionText("Congestion 44%", false), slack.MsgOptionBlocks(slack.NewActionBlock("", button)))
	if err != nil {
		panic(err)
	}

	app := socketmode.New(api)
	go app.RunContext(ctx)
	go func() {
		for event := range app.Events {
			if click, ok := event.Data.(slack.InteractionCallback); ok {
				_ = app.AckCtx(ctx, event.Request.EnvelopeID, nil)
				_, _, _, _ = api.UpdateMessageContext(ctx, channel, ts, slack.MsgOptionText("Acknowledged by "+click.User.Name, false))
			}
		}
	}()
	if err := server.Wait(ctx, func(s *fakeslack.Server) bool { return s.Connections() == 1 }); err != nil {
		panic(err)
	}

	sent, err := server.Click(ctx, "ana", ts, "ack")
	fmt.Println("acknowledged in time:", err == nil && sent.Took < fakeslack.AckLimit)
	if err := server.Wait(ctx, func(s *fakeslack.Server) bool { return s.Messages("#noc")[0].Edits == 1 }); err != nil {
		panic(err)
	}
	fmt.Println(server.Messages("#noc")[0].Text)
	// Output:
	// acknowledged in time: true
	// Acknowledged by ana
}
